// A process that writes entries into a cache of collateral until it is killed: node keep-writing.ts DIRECTORY. Says `writing`
// once the first entry is there.
import { DiskCache } from "../collateral/disk-cache.ts";
import { ENTRY_NAMES, entryOf } from "./cache-entries.ts";

const [, , directory = ""] = process.argv;
const cache = await DiskCache.open(directory, (what, reason) => {
  process.stderr.write(`${what}: ${reason}\n`);
});
for (let turn = 0; ; turn += 1) {
  for (const name of ENTRY_NAMES) await cache.write(name, entryOf(name, turn));
  if (turn === 0) process.stdout.write("writing\n");
}
