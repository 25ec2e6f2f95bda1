// Who CCFaaS is toward keeps: a key and certificate of its own, made on first start and kept for its owner alone. Policies
// name it, so that whoever goes on with another's instance must be the same: several processes share the file, as they
// would share a key of TLS. It is in no database, whose copies travel further.
import { readFile } from "node:fs/promises";
import { type ClientIdentity, newIdentity } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import { writeOnce } from "../write-once.ts";

const DAYS = 3650;

/** Reads the identity in a file, making it when there is none. */
export async function loaderIdentity(path: string, clock: Clock): Promise<ClientIdentity> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as ClientIdentity;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
  const identity = await newIdentity({ commonName: "Holdfast CCFaaS", clock, days: DAYS });
  // Certificate and key in one file, which appears whole: they can't come apart.
  return JSON.parse(await writeOnce(path, JSON.stringify(identity))) as ClientIdentity;
}
