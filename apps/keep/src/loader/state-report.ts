// How a keep stands, for whoever started its loader, and whoever finds it again. Each change is a line for the one, and
// once the keep is assigned a JSON file for the others, replaced whole, so that a reader never sees half of one.
import { renameSync, writeFileSync } from "node:fs";

/** How a keep stands. */
export interface LoaderState {
  readonly state: "starting" | "waiting" | "attested" | "serving" | "failed" | "ended";
  readonly loader_pid: number;
  readonly keep_pid?: number;
  readonly started_at: string;
  readonly platform: string;
  readonly simulated: boolean;
  readonly measurement: string;
  /** What the keep was assigned. */
  readonly policy_hash?: string;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly reason?: string;
  readonly exit_code?: number;
}

/** Reports a state and its changes. */
export class StateReport {
  readonly #tell: (line: string) => void;
  #path: string | undefined;
  #state: LoaderState;

  /** @param tell is given each state as a line of JSON */
  constructor(state: LoaderState, tell: (line: string) => void) {
    this.#state = state;
    this.#tell = tell;
    this.#publish();
  }

  /** The state now. */
  get state(): LoaderState {
    return this.#state;
  }

  /** Changes members of the state; an end is final. */
  change(members: Partial<LoaderState>): void {
    if (this.#state.state === "failed" || this.#state.state === "ended") return;
    this.#state = { ...this.#state, ...members };
    this.#publish();
  }

  /** Keeps the state in a file from now on; whatever the keep is by then, even dead, is in it. */
  keepIn(path: string, members: Partial<LoaderState>): void {
    this.#path = path;
    const { state } = this.#state;
    this.#state = { ...this.#state, ...members, state: state === "waiting" ? "starting" : state };
    this.#publish();
  }

  #publish(): void {
    if (this.#path !== undefined) {
      const draft = `${this.#path}.${this.#state.loader_pid}.tmp`;
      writeFileSync(draft, `${JSON.stringify(this.#state, undefined, 2)}\n`, { mode: 0o600 });
      renameSync(draft, this.#path);
    }
    // After the file: whoever hears the line finds the file as it says.
    this.#tell(`${JSON.stringify(this.#state)}\n`);
  }
}
