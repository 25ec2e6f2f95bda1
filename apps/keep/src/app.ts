// A keep, from its parts: state, use cases, routes. Knows no process and no environment.

import type { AttestedKeep } from "./boot/attest-keep.ts";
import type { PeerLimits } from "./door/peers.ts";
import type { Pace } from "./door/request-body.ts";
import { fileRoutes } from "./door/routes-files.ts";
import { keepRoutes } from "./door/routes-keep.ts";
import { runRoutes } from "./door/routes-runs.ts";
import { uploadRoutes } from "./door/routes-uploads.ts";
import { type Door, newDoor } from "./door/server.ts";
import { fetchInputs, type InputWays } from "./services/fetch-inputs.ts";
import { type KeepDeps, type KeepState, newKeepState } from "./state/keep-state.ts";

/** Bounds of the door that tests set lower. */
export interface DoorLimits {
  readonly peers?: PeerLimits;
  readonly pace?: Pace;
}

/** A keep; it serves once it is open. */
export interface Keep extends Pick<Door, "open" | "take"> {
  /** Resolves with the reason when the keep is to end. */
  readonly ended: Promise<string>;
  /** Fetches the inputs of the policy; resolves when each is there or has failed, or the keep closes. */
  fetchInputs(ways: InputWays): Promise<void>;
  /** Uses another key and certificate from now on. */
  renew(attested: AttestedKeep): void;
  /** Looks again at what time changes: identities that end, uploads that go stale. */
  sweep(): void;
  /** Ends runs and connections. */
  close(): Promise<void>;
}

/** Builds a keep. */
export function buildKeep(deps: KeepDeps, limits: DoorLimits = {}): Keep {
  let end: (reason: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const state = newKeepState(deps, (reason) => end(reason));
  const closing = new AbortController();
  const door = newDoor({
    policy: deps.policy,
    credentials: deps.attested,
    routes: routesOf(state),
    clock: deps.clock,
    log: deps.log,
    ...(limits.peers === undefined ? {} : { peerLimits: limits.peers }),
    ...(limits.pace === undefined ? {} : { pace: limits.pace }),
  });
  return {
    open: door.open,
    take: door.take,
    ended,
    fetchInputs: (ways) => fetchInputs(state, ways, closing.signal),
    renew(attested) {
      state.attested = attested;
      door.renew(attested);
    },
    sweep() {
      door.sweep();
      state.uploads.sweep();
    },
    async close() {
      state.ending = true;
      closing.abort();
      await door.close();
      await Promise.all([deps.runner.close(), state.hashing.close()]);
    },
  };
}

function routesOf(state: KeepState): ReturnType<typeof keepRoutes> {
  return [...keepRoutes(state), ...fileRoutes(state), ...uploadRoutes(state), ...runRoutes(state)];
}
