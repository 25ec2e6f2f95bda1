// One judged connection and its exchanges, one after the other. Every promise here ends: with an answer, or when the
// socket has closed, and a socket on which the keep is silent for too long is closed.
import type { TLSSocket } from "node:tls";
import { type HttpRequest, type HttpResponse, messageOf } from "@holdfast/core";
import { ChannelError } from "../errors.ts";
import type { AnswerHead } from "./answer-head.ts";
import { AnswerParser } from "./answer-parser.ts";
import type { Inbox } from "./inbox.ts";
import { PartQueue } from "./part-queue.ts";
import type { RequestHead } from "./request-head.ts";
import { sendBody } from "./send-body.ts";
import type { WireWatch } from "./wires.ts";

/** A request under way. */
interface Exchange {
  readonly parser: AnswerParser;
  readonly body: PartQueue;
  isSent: boolean;
  isAnswered: boolean;
  keepsOpen: boolean;
  resolve(answer: HttpResponse): void;
  reject(fault: ChannelError): void;
  /** Frees what was held for it. */
  release(): void;
}

/** How long an answer may wait for its reader; a keep lets go of a reader sooner. */
const READER_TIMEOUT_MS = 120_000;

/** What a wire needs. */
export interface WireOptions {
  readonly socket: TLSSocket;
  readonly inbox: Inbox;
  /** Silence after which an exchange is given up. */
  readonly timeoutMs: number;
  /** How long an answer may wait for its reader, two minutes by default. */
  readonly readerTimeoutMs?: number;
  readonly watch: WireWatch;
}

/** A connection to a keep. */
export class Wire {
  readonly #options: WireOptions;
  readonly #socket: TLSSocket;
  #exchange: Exchange | undefined;
  #isGone = false;

  constructor(options: WireOptions) {
    const { socket, inbox } = options;
    this.#options = options;
    this.#socket = socket;
    inbox.deliverTo((bytes) => this.#receive(bytes));
    socket.on("end", () => this.#fail(lost("the keep ended it")));
    socket.on("error", (cause) => this.#fail(lost(cause)));
    socket.on("close", () => this.#fail(lost("it was closed")));
    socket.on("timeout", () => this.#onSilence());
    // What has closed by now says so never again.
    if (socket.destroyed) this.#fail(lost("it was closed"));
    else if (inbox.spokeFirst) this.#fail(lost("the keep spoke out of turn"));
    else socket.setNoDelay(true).unref().resume();
  }

  /** Whether it can carry another exchange. */
  get isOpen(): boolean {
    return !this.#isGone;
  }

  /**
   * Carries one exchange; the wire must be free.
   * @throws ChannelError CHANNEL_CLOSED, CHANNEL_TIMEOUT
   */
  exchange(request: HttpRequest, head: RequestHead): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (this.#isGone || this.#exchange !== undefined) {
        reject(lost("it was closed"));
        return;
      }
      const exchange = this.#begin(request, resolve, reject);
      if (this.#isGone) return;
      this.#socket.ref();
      this.#socket.setTimeout(this.#options.timeoutMs);
      const isWanted = (): boolean => this.#exchange === exchange && !exchange.isAnswered;
      sendBody(this.#socket, head, request.body, isWanted).then(
        () => {
          exchange.isSent = true;
          this.#finish(exchange);
        },
        // The source failed: the keep must see a broken request, never a short file.
        (cause: unknown) => this.#fail(lost(cause)),
      );
    });
  }

  /** Ends the connection, and what is under way on it. */
  close(): void {
    this.#fail(lost("it was closed"));
  }

  #begin(
    { method, signal }: HttpRequest,
    resolve: Exchange["resolve"],
    reject: Exchange["reject"],
  ): Exchange {
    const abort = (): void => this.#fail(lost("cancelled"));
    const body = new PartQueue(
      () => this.#readOn(exchange),
      () => this.#fail(lost("its reader left")),
    );
    const exchange: Exchange = {
      body,
      isSent: false,
      isAnswered: false,
      keepsOpen: false,
      resolve,
      reject,
      release: () => signal?.removeEventListener("abort", abort),
      parser: new AnswerParser(method, {
        onHead: (head) => this.#onHead(exchange, head),
        onBody: (part) => body.push(part),
        onEnd: () => {
          exchange.isAnswered = true;
          body.end();
          this.#finish(exchange);
        },
      }),
    };
    this.#exchange = exchange;
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    return exchange;
  }

  #onHead(exchange: Exchange, { status, headers, keepsOpen }: AnswerHead): void {
    exchange.keepsOpen = keepsOpen;
    exchange.resolve({ status, headers, body: exchange.body });
  }

  #receive(bytes: Uint8Array): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#fail(lost("the keep spoke out of turn"));
      return false;
    }
    try {
      exchange.parser.push(bytes);
    } catch (thrown) {
      this.#fail(lost(thrown));
      return false;
    }
    if (!exchange.body.isFull || exchange.isAnswered) return true;
    // Silence is the reader's from here on. A socket that waits for its reader does not see that the keep has gone.
    this.#socket.setTimeout(this.#options.readerTimeoutMs ?? READER_TIMEOUT_MS);
    return false;
  }

  #readOn(exchange: Exchange): void {
    if (this.#exchange !== exchange) return;
    this.#socket.setTimeout(this.#options.timeoutMs);
    this.#socket.resume();
  }

  /** An exchange has ended when both sides have said all; a keep that answers early does not want the rest. */
  #finish(exchange: Exchange): void {
    if (this.#exchange !== exchange || !exchange.isAnswered) return;
    this.#exchange = undefined;
    exchange.release();
    if (!exchange.isSent || !exchange.keepsOpen) {
      this.#fail(lost("the keep ended it"));
      return;
    }
    // A connection that waits for nothing does not hold the process; it reads on, to see when the keep closes it.
    this.#socket.setTimeout(0).unref().resume();
    this.#options.watch.onFree(this);
  }

  #onSilence(): void {
    const why =
      this.#exchange?.body.isFull === true
        ? "nobody has read the keep's answer for too long"
        : `the keep was silent for ${this.#options.timeoutMs} ms`;
    this.#fail(new ChannelError("CHANNEL_TIMEOUT", why));
  }

  #fail(fault: ChannelError): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    if (exchange !== undefined) {
      exchange.release();
      exchange.reject(fault);
      exchange.body.fail(fault);
    }
    this.#options.watch.onGone(this);
  }
}

/** A connection that ended before its time. */
export function lost(cause: unknown): ChannelError {
  if (cause instanceof ChannelError) return cause;
  const why = typeof cause === "string" ? cause : messageOf(cause);
  const options = typeof cause === "string" ? {} : { cause };
  return new ChannelError("CHANNEL_CLOSED", `the connection to the keep was lost: ${why}`, options);
}
