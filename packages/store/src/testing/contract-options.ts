// What the parts of the store's contract share: a store that is empty when a test begins and closed when it ends.
import type { Store } from "../index.ts";

/** How to get at a store of an engine. */
export interface ContractOptions {
  /** Opens the same store again each time it is called, after `clear` an empty one. */
  readonly open: () => Promise<Store>;
  readonly clear: () => Promise<void>;
  readonly skip?: string | false;
}

/** Makes a test's body of work with an empty store. */
export type WithStore = (work: (store: Store) => Promise<void>) => () => Promise<void>;

/** Opens, works, closes. */
export function withStoreOf(options: ContractOptions): WithStore {
  return (work) => async () => {
    await options.clear();
    const store = await options.open();
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };
}
