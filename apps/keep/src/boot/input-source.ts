// Inputs as the loader fetches them: the keep asks for one, then for its bytes, piece by piece, so that none come faster
// than they are taken. What they are worth their digests tell, never the loader.
import { BootError, InputError } from "../errors.ts";
import { type LoaderAnswer, type LoaderCalls, readAnswer } from "./loader-calls.ts";

/** What to fetch. */
export interface Sought {
  readonly source: string;
  /** Of the bytes as they are fetched, lower-case hexadecimal: names them in a registry. */
  readonly sha256: string;
}

/** Where inputs come from. */
export interface InputSource {
  /** Bytes as they come. @throws InputError INPUT_SOURCE_FAILED, INPUT_SOURCE_REFUSED */
  bytes(sought: Sought): AsyncGenerator<Uint8Array>;
}

/** Before the bytes of a piece; an object of JSON begins with a brace. */
const PIECE = 0x01;
/** What asking again will not change. */
const FINAL: readonly unknown[] = ["SOURCE_INVALID", "SOURCE_NOT_ALLOWED"];

/** Inputs through the loader; one at a time. */
export function sourceOver(calls: LoaderCalls): InputSource {
  return {
    async *bytes({ source, sha256 }) {
      const opened = read(await ask(calls, { fetch: { source, sha256 } }));
      if (opened["open"] !== true) throw faultIn(opened);
      try {
        for (;;) {
          const answer = await ask(calls, { more: true });
          if (answer[0] === PIECE && answer.length > 1) {
            yield answer.subarray(1);
            continue;
          }
          const other = read(answer);
          if (other["end"] === true) return;
          throw faultIn(other);
        }
      } finally {
        // Nobody hears whether it could.
        await calls({ close: true }).catch(() => undefined);
      }
    },
  };
}

async function ask(
  calls: LoaderCalls,
  question: Readonly<Record<string, unknown>>,
): Promise<Uint8Array> {
  try {
    return await calls(question);
  } catch (thrown) {
    throw thrown instanceof BootError ? failed(thrown.message) : thrown;
  }
}

function read(bytes: Uint8Array): LoaderAnswer {
  try {
    return readAnswer(bytes);
  } catch (thrown) {
    throw thrown instanceof BootError ? failed(thrown.message) : thrown;
  }
}

/** What the loader says is wrong, if it says so. */
function faultIn({ error, code }: LoaderAnswer): InputError {
  if (typeof error !== "string") return failed("the loader's answer is none to that question");
  return FINAL.includes(code) ? new InputError("INPUT_SOURCE_REFUSED", error) : failed(error);
}

function failed(message: string): InputError {
  return new InputError("INPUT_SOURCE_FAILED", message);
}
