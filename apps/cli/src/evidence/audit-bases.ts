// What decisions of a log rested on, read from the folder beside it. Many decisions rest on the same, so the last few are
// remembered; every document is held against its digest when it is read.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Certificate, webCrypto } from "@holdfast/core";
import {
  BASIS_FACT,
  basisFolderOf,
  type DecisionBasis,
  type DecisionRecord,
  MAXIMUM_ENDORSEMENT,
  NO_ENDORSEMENTS,
  readBasis,
} from "@holdfast/evidence";
import { readSmallFile } from "../files.ts";

const NOTHING: DecisionBasis = { endorsements: NO_ENDORSEMENTS, anchors: [] };
const REMEMBERED = 16;

/** The bases of a log's decisions. */
export class AuditBases {
  readonly #folder: string;
  readonly #read = new Map<string, Promise<DecisionBasis>>();
  readonly #roots = new Map<string, Certificate>();

  constructor(log: string) {
    this.#folder = basisFolderOf(log);
  }

  /** Roots beside the vendors' own that any decision rested on. */
  get roots(): readonly Certificate[] {
    return [...this.#roots.values()];
  }

  /**
   * What a decision rested on; nothing for logs that don't say, or that came without their folder: then the auditor brings it.
   * @throws HoldfastError when a document was changed, or is not there
   */
  async of({ facts }: DecisionRecord): Promise<DecisionBasis> {
    const digest = facts[BASIS_FACT];
    if (typeof digest !== "string" || !existsSync(this.#folder)) return NOTHING;
    const known =
      this.#read.get(digest) ?? readBasis(digest, (name) => this.#file(name), webCrypto);
    this.#read.delete(digest);
    this.#read.set(digest, known);
    const [oldest = ""] = this.#read.keys();
    if (this.#read.size > REMEMBERED) this.#read.delete(oldest);
    const basis = await known;
    for (const root of basis.anchors) this.#roots.set(root.der.toHex(), root);
    return basis;
  }

  async #file(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#folder, name);
    if (!existsSync(path)) return undefined;
    return await readSmallFile(path, "document", MAXIMUM_ENDORSEMENT);
  }
}
