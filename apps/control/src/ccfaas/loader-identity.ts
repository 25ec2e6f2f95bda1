// Who CCFaaS is toward keeps: a key and certificate of its own, made on first start and kept for its owner alone. Policies
// name it, so that whoever goes on with another's instance must be the same: several processes share the file, as they
// would share a key of TLS. It is in no database, whose copies travel further. Before it ends another one takes its place,
// for no keep lets in who is past his dates.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type ClientIdentity, newIdentity } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import { writeOnce } from "../write-once.ts";

const DAYS = 3650;
/** What it must have left at a start, in milliseconds: more than instances usually live. */
const LEAST_LEFT_MS = 90 * 24 * 60 * 60 * 1000;

/** The identity in a file, made when there is none; once it is near its end, or past it, that of its successor's file. */
export async function loaderIdentity(path: string, clock: Clock): Promise<ClientIdentity> {
  let identity = await readOrMake(path, clock);
  for (;;) {
    const { validToDate, serialNumber } = new X509Certificate(identity.certificatePem);
    if (validToDate.getTime() - clock.now().getTime() > LEAST_LEFT_MS) return identity;
    identity = await readOrMake(`${path}.after-${serialNumber.toLowerCase()}`, clock);
  }
}

async function readOrMake(path: string, clock: Clock): Promise<ClientIdentity> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as ClientIdentity;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
  }
  const identity = await newIdentity({ commonName: "Holdfast CCFaaS", clock, days: DAYS });
  // Certificate and key in one file, which appears whole: they can't come apart.
  return JSON.parse(await writeOnce(path, JSON.stringify(identity))) as ClientIdentity;
}
