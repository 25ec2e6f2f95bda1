// Whose credentials a copy works with: the request's, else those that the SDK finds. One caller's never meet another's.
import type { S3StreamBody } from "@holdfast/contract";
import { ControlError } from "../errors.ts";
import type { S3Credentials } from "../s3-client.ts";

/**
 * The credentials of a request; undefined when it has none.
 * @throws ControlError S3_CREDENTIALS when it has some of them only
 */
export function credentialsOf(s3: S3StreamBody["s3"]): S3Credentials | undefined {
  const { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token } = s3;
  if (id === undefined && secret === undefined && token === undefined) return undefined;
  if (!id || !secret) {
    throw new ControlError(
      400,
      "S3_CREDENTIALS",
      "aws credentials have to be all provided or none",
    );
  }
  return {
    accessKeyId: id,
    secretAccessKey: secret,
    ...(token === undefined ? {} : { sessionToken: token }),
  };
}
