// Who is connected. Connections that have not proven who they are get little room and no time: when there are too
// many, the oldest goes, so that strangers can't keep a known identity out.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { identityOfPeer } from "@holdfast/channel";
import { type Clock, parseCertificate } from "@holdfast/core";
import type { Policy, PolicyIdentity } from "@holdfast/policy";
import type { Log } from "../log.ts";
import { SeldomLog } from "./seldom.ts";

/** How many connections there may be. */
export interface PeerLimits {
  /** Connections in the middle of a handshake. */
  readonly strangers: number;
  readonly perIdentity: number;
}

/** Limits unless told otherwise. */
export const DEFAULT_PEER_LIMITS: PeerLimits = { strangers: 128, perIdentity: 64 };

/** What watching peers needs. */
export interface PeerDeps {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: PeerLimits;
}

/** A connection of an identity, and when its certificate holds. */
interface KnownPeer {
  readonly identity: PolicyIdentity;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Connections of a keep. */
export class Peers {
  readonly #deps: PeerDeps;
  readonly #limits: PeerLimits;
  readonly #seldom: SeldomLog;
  readonly #strangers = new Map<string, Socket>();
  readonly #known = new Map<TLSSocket, KnownPeer>();

  constructor(deps: PeerDeps) {
    this.#deps = deps;
    this.#limits = deps.limits ?? DEFAULT_PEER_LIMITS;
    this.#seldom = new SeldomLog(deps.log, deps.clock);
  }

  /** Notes a connection before its handshake. */
  arrive(socket: Socket): void {
    const name = nameOf(socket);
    this.#strangers.set(name, socket);
    socket.once("close", () => {
      if (this.#strangers.get(name) === socket) this.#strangers.delete(name);
    });
    if (this.#strangers.size <= this.#limits.strangers) return;
    const [oldest] = this.#strangers;
    if (oldest === undefined) return;
    this.#strangers.delete(oldest[0]);
    oldest[1].destroy();
    this.#seldom.warn("stranger-dropped", { strangers: this.#strangers.size });
  }

  /** Decides about a connection after its handshake: it stays only when it is an identity of the policy. */
  admit(socket: TLSSocket): void {
    this.#strangers.delete(nameOf(socket));
    const { policy, clock } = this.#deps;
    const identity = identityOfPeer(socket, policy, clock.now());
    if (identity === undefined) {
      this.#seldom.warn("peer-refused");
      socket.destroy();
      return;
    }
    if (this.#count(identity) >= this.#limits.perIdentity) {
      this.#seldom.warn("peer-limit", { identity: identity.id });
      socket.destroy();
      return;
    }
    const { notBefore, notAfter } = parseCertificate(identity.certificateDer);
    this.#known.set(socket, { identity, notBefore, notAfter });
    socket.once("close", () => this.#known.delete(socket));
  }

  /** The identity behind a connection now: certificates end while connections last. */
  callerOn(socket: TLSSocket): PolicyIdentity | undefined {
    const peer = this.#known.get(socket);
    return peer !== undefined && this.#holds(peer) ? peer.identity : undefined;
  }

  /** Closes connections whose identity's certificate has ended since. */
  sweep(): void {
    for (const [socket, peer] of this.#known) {
      if (this.#holds(peer)) continue;
      this.#deps.log.warn("peer-expired", { identity: peer.identity.id });
      socket.destroy();
    }
  }

  /** Closes all. */
  close(): void {
    for (const socket of this.#strangers.values()) socket.destroy();
    for (const socket of this.#known.keys()) socket.destroy();
  }

  #holds({ notBefore, notAfter }: KnownPeer): boolean {
    const now = this.#deps.clock.now();
    return now >= notBefore && now <= notAfter;
  }

  #count({ id }: PolicyIdentity): number {
    let count = 0;
    for (const { identity } of this.#known.values()) if (identity.id === id) count += 1;
    return count;
  }
}

/** The raw socket and the TLS socket around it have the same ends. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}|${remotePort}`;
}
