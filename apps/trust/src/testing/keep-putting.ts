// A process that leaves keys, changes their terms and counts releases until it is killed: node keep-putting.ts DIRECTORY. Names
// each key on a line of its own once it is kept.
import { systemClock } from "@holdfast/core";
import { HeldKeys } from "../services/held-keys.ts";
import { bodyOf } from "./numbered-keys.ts";

const [, , directory = ""] = process.argv;
const keys = await HeldKeys.open(directory, systemClock);
for (let turn = keys.list().length; ; turn += 1) {
  const name = `key-${turn}`;
  const { key, grant } = bodyOf(name);
  await keys.put(name, { key, grant });
  process.stdout.write(`${name}\n`);
  await keys.regrant(name, { ...grant, simulated: true });
  const held = keys.find(name);
  if (held !== undefined) await keys.countRelease(held, systemClock.now());
}
