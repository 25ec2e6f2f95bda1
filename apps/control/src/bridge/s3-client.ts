// S3 clients, one a request: credentials of one caller never meet those of another.
import { S3Client } from "@aws-sdk/client-s3";
import type { S3StreamBody } from "@holdfast/contract";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { ControlError } from "../errors.ts";

/** Which store, when it is not Amazon's. */
export interface S3Config {
  readonly endpoint?: string;
  readonly force_path_style?: boolean;
  readonly region?: string;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 60_000;
const ATTEMPTS = 3;
const DEFAULT_REGION = "us-east-1";

/**
 * Makes clients of one store.
 * @throws ControlError S3_CREDENTIALS when a request has some of its credentials only
 */
export function s3Clients(config: S3Config): (s3: S3StreamBody["s3"]) => S3Client {
  return (s3) =>
    new S3Client({
      region: s3.region_name ?? config.region ?? DEFAULT_REGION,
      ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
      forcePathStyle: config.force_path_style ?? false,
      maxAttempts: ATTEMPTS,
      // Stores that are not Amazon's know no trailing checksums; ours is made over the whole object.
      responseChecksumValidation: "WHEN_REQUIRED",
      requestChecksumCalculation: "WHEN_REQUIRED",
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
      }),
      ...credentialsOf(s3),
    });
}

function credentialsOf(s3: S3StreamBody["s3"]): {
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
} {
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = s3;
  if (id === undefined && secret === undefined && token === undefined) return {};
  if (!id || !secret) {
    throw new ControlError(
      400,
      "S3_CREDENTIALS",
      "aws credentials have to be all provided or none",
    );
  }
  return {
    credentials: {
      accessKeyId: id,
      secretAccessKey: secret,
      ...(token === undefined ? {} : { sessionToken: token }),
    },
  };
}
