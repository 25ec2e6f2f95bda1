// The loader's answers to the keep's questions: what the attestation service says to the keep's requests, and the bytes of
// its inputs. It carries nothing else, and nowhere else.
import type { Duplex } from "node:stream";
import { encodeFrame, readFrames } from "@holdfast/attester";
import { fromText, HoldfastError, messageOf, toText } from "@holdfast/core";
import { type InputFetcher, newInputFetcher } from "./fetch-input.ts";
import { postToService, type RelayTarget } from "./post-to-service.ts";

/** What a loader relays to. */
export interface RelayConfig {
  readonly service: RelayTarget;
  /** Beginnings of URLs that inputs may come from. */
  readonly fetchAllow: readonly string[];
}

/** A request for a key has the policy in it, twice encoded. */
const MAXIMUM_MESSAGE = 1024 * 1024 + 64 * 1024;

/** Serves until the stream ends. */
export async function serveRelay(
  stream: Duplex,
  { service, fetchAllow }: RelayConfig,
  onFault: (message: string) => void,
): Promise<void> {
  const inputs = newInputFetcher(fetchAllow);
  try {
    for await (const message of readFrames(stream, MAXIMUM_MESSAGE)) {
      stream.write(encodeFrame(await answerTo(toText(message), { service, inputs, onFault })));
    }
  } catch (thrown) {
    onFault(messageOf(thrown));
  } finally {
    inputs.close();
  }
}

interface Ways {
  readonly service: RelayTarget;
  readonly inputs: InputFetcher;
  readonly onFault: (message: string) => void;
}

async function answerTo(message: string, { service, inputs, onFault }: Ways): Promise<Uint8Array> {
  const fault = (error: string, code?: string): Uint8Array => {
    onFault(error);
    return json({ error, code });
  };
  const { path, body, fetch, more, close } = JSON.parse(message) as Record<string, unknown>;
  if (fetch !== undefined) {
    return await inputs.open(fetch).then(() => json({ open: true }), failure(fault));
  }
  if (more === true)
    return await inputs.next().then((piece) => piece ?? json({ end: true }), failure(fault));
  if (close === true) {
    inputs.close();
    return json({});
  }
  return await postToService(path, body, service).then(json, (thrown: unknown) =>
    fault(`attestation service ${service.url} can't be reached: ${messageOf(thrown)}`),
  );
}

function failure(fault: (error: string, code?: string) => Uint8Array) {
  return (thrown: unknown): Uint8Array =>
    fault(messageOf(thrown), thrown instanceof HoldfastError ? thrown.code : undefined);
}

function json(value: object): Uint8Array {
  return fromText(JSON.stringify(value));
}
