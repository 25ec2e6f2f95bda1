// Inputs as the loader fetches them: the keep asks for one, then for its bytes, piece by piece, so that none come faster
// than they are taken. What they are worth their digests tell, never the loader.
import { BootError, InputError } from "../errors.ts";
import { type LoaderCalls, readAnswer } from "./loader-calls.ts";

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
const BRACE = 0x7b;
/** What asking again will not change. */
const FINAL: readonly unknown[] = ["SOURCE_INVALID", "SOURCE_NOT_ALLOWED"];

/** Inputs through the loader; one at a time. */
export function sourceOver(calls: LoaderCalls): InputSource {
  return {
    async *bytes({ source, sha256 }) {
      const ask = asking(calls);
      refuse(readAnswer(await ask({ fetch: { source, sha256 } })));
      try {
        for (;;) {
          const piece = await ask({ more: true });
          if (piece[0] === PIECE && piece.length > 1) yield piece.subarray(1);
          else if (piece[0] !== BRACE) throw failed("the loader sent what is no piece of a file");
          else if (readAnswer(piece)["end"] === true) return;
          else refuse(readAnswer(piece), "the loader sent what is no piece of a file");
        }
      } finally {
        // Nobody hears whether it could.
        await calls({ close: true }).catch(() => undefined);
      }
    },
  };
}

function asking(calls: LoaderCalls): LoaderCalls {
  return async (question) => {
    try {
      return await calls(question);
    } catch (thrown) {
      throw thrown instanceof BootError ? failed(thrown.message) : thrown;
    }
  };
}

/** Passes on what the loader says is wrong. */
function refuse(answer: Readonly<Record<string, unknown>>, otherwise?: string): void {
  const { error, code } = answer;
  if (typeof error !== "string") {
    if (otherwise !== undefined || answer["open"] !== true) {
      throw failed(otherwise ?? "the loader's answer can't be read");
    }
    return;
  }
  const text = printable(error);
  if (FINAL.includes(code)) throw new InputError("INPUT_SOURCE_REFUSED", text);
  throw failed(text);
}

function failed(message: string): InputError {
  return new InputError("INPUT_SOURCE_FAILED", message);
}

/** The loader chose this text, and people will read it. */
function printable(text: string): string {
  return text.slice(0, 256).replace(/[^\x20-\x7e]/g, "?");
}
