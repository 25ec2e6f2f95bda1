// The loader's state for whoever started it: one JSON file, replaced whole, so that a reader never sees half of one.
import { renameSync, writeFileSync } from "node:fs";

/** How a keep stands. */
export interface LoaderState {
  readonly state: "starting" | "attested" | "serving" | "failed" | "ended";
  readonly loader_pid: number;
  readonly keep_pid?: number;
  readonly started_at: string;
  readonly platform: string;
  readonly simulated: boolean;
  readonly measurement: string;
  readonly policy_hash: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly reason?: string;
  readonly exit_code?: number;
}

/** Keeps a state in a file. */
export class StateFile {
  readonly #path: string;
  #state: LoaderState;

  constructor(path: string, state: LoaderState) {
    this.#path = path;
    this.#state = state;
    this.#write();
  }

  /** The state now. */
  get state(): LoaderState {
    return this.#state;
  }

  /** Changes members of the state; an end is final. */
  change(members: Partial<LoaderState>): void {
    if (this.#state.state === "failed" || this.#state.state === "ended") return;
    this.#state = { ...this.#state, ...members };
    this.#write();
  }

  #write(): void {
    const draft = `${this.#path}.${this.#state.loader_pid}.tmp`;
    writeFileSync(draft, `${JSON.stringify(this.#state, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.#path);
  }
}
