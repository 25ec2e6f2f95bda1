// The connections to one keep: a few, opened when they are needed, and used again.
import type { HttpRequest, HttpResponse } from "@holdfast/core";
import { requestHead } from "./request-head.ts";
import { lost, type Wire } from "./wire.ts";

/** What a wire tells its pool. */
export interface WireWatch {
  /** The next exchange may begin. */
  onFree(wire: Wire): void;
  onGone(wire: Wire): void;
}

/** Opens a connection. */
export type OpenWire = (watch: WireWatch) => Promise<Wire>;

const MAXIMUM_WIRES = 8;
/** A keep lets go of a quiet connection after 75 s: one that is about to be closed must not get a request. */
const IDLE_MS = 60_000;

/** Carries exchanges over as many wires as it takes, up to a bound; more wait for their turn. */
export class Wires {
  readonly #open: OpenWire;
  readonly #authority: string;
  readonly #wires = new Set<Wire>();
  /** Free wires and since when; the one used last is at the end. */
  readonly #free = new Map<Wire, number>();
  /** Wakes those that wait for a wire, in order. */
  readonly #waiting = new Set<() => void>();
  #opening = 0;
  #isClosed = false;
  readonly #watch: WireWatch = {
    onFree: (wire) => this.#putBack(wire),
    onGone: (wire) => this.#forget(wire),
  };

  /** @param authority for the Host field */
  constructor(authority: string, open: OpenWire) {
    this.#authority = authority;
    this.#open = open;
  }

  /** Takes in a connection that is open already. */
  adopt(make: (watch: WireWatch) => Wire): void {
    const wire = make(this.#watch);
    if (!wire.isOpen) return;
    this.#wires.add(wire);
    this.#putBack(wire);
  }

  /** @throws ChannelError as opening a connection does, and CHANNEL_CLOSED, CHANNEL_TIMEOUT */
  async exchange(request: HttpRequest): Promise<HttpResponse> {
    const head = requestHead(request, this.#authority);
    const wire = await this.#take(request.signal);
    return wire.exchange(request, head);
  }

  /** Ends everything; what is under way fails. */
  close(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting) wake();
    for (const wire of this.#wires) wire.close();
  }

  async #take(signal: AbortSignal | undefined): Promise<Wire> {
    for (;;) {
      if (this.#isClosed || signal?.aborted === true) {
        // Whoever waits behind this one may be able to use what it leaves.
        this.#wakeNext();
        throw lost(this.#isClosed ? "it was closed" : "cancelled");
      }
      const free = this.#takeFree();
      if (free !== undefined) return free;
      if (this.#wires.size + this.#opening < MAXIMUM_WIRES) return this.#add();
      await this.#turn(signal);
    }
  }

  #takeFree(): Wire | undefined {
    for (const [wire, since] of [...this.#free].reverse()) {
      this.#free.delete(wire);
      if (performance.now() - since < IDLE_MS) return wire;
      wire.close();
    }
    return undefined;
  }

  async #add(): Promise<Wire> {
    this.#opening += 1;
    try {
      const wire = await this.#open(this.#watch);
      if (wire.isOpen) this.#wires.add(wire);
      if (this.#isClosed) wire.close();
      return wire;
    } finally {
      this.#opening -= 1;
      this.#wakeNext();
    }
  }

  #putBack(wire: Wire): void {
    this.#free.set(wire, performance.now());
    this.#wakeNext();
  }

  #forget(wire: Wire): void {
    this.#free.delete(wire);
    this.#wires.delete(wire);
    this.#wakeNext();
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }

  #wakeNext(): void {
    const [wake] = this.#waiting;
    wake?.();
  }
}
