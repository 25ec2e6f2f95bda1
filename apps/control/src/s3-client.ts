// Clients of S3 stores. Every request has its bounds in time. The SDK is loaded when it is first needed: it is a third of
// what this process would take at rest.
import type { S3Client } from "@aws-sdk/client-s3";

/** Which store, when it is not Amazon's. */
export interface S3Settings {
  readonly endpoint?: string;
  readonly force_path_style?: boolean;
  readonly region?: string;
  /** How long a connection may stand still; a minute when absent. */
  readonly silence_ms?: number;
}

/** Who asks; who the SDK finds when absent. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 60_000;
const ATTEMPTS = 3;
/** For a request with all of its attempts, until its answer begins; finding credentials counts, too. */
const REQUEST_MS = 5 * 60 * 1000;
const DEFAULT_REGION = "us-east-1";

/**
 * Makes a client of one store.
 * @param options.requestMs how long a request may take until its answer begins; five minutes by default
 */
export async function newS3Client(
  settings: S3Settings,
  credentials?: S3Credentials | (() => Promise<S3Credentials>),
  options: { requestMs?: number } = {},
): Promise<S3Client> {
  const [{ S3Client }, { NodeHttpHandler }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@smithy/node-http-handler"),
  ]);
  const client = new S3Client({
    region: settings.region ?? DEFAULT_REGION,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    forcePathStyle: settings.force_path_style ?? false,
    maxAttempts: ATTEMPTS,
    // Stores that are not Amazon's know no trailing checksums; ours are made over the whole object.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestChecksumCalculation: "WHEN_REQUIRED",
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: settings.silence_ms ?? SILENCE_MS,
    }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const { requestMs = REQUEST_MS } = options;
  // Outermost: the SDK's own limits do not reach as far as its search for credentials.
  client.middlewareStack.add((next) => (args) => within(requestMs, next(args)), {
    step: "initialize",
    priority: "high",
    name: "boundTime",
  });
  return client;
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the store did not answer within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
