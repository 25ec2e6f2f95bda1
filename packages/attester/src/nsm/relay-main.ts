// The relay as a process: node --allow-ffi … relay-main.ts [DEVICE]. Requests on standard input, answers on standard
// output, what went wrong on standard error.
import { HoldfastError, messageOf } from "@holdfast/core";
import { openNsmDevice } from "./device.ts";
import { relayNsm } from "./relay.ts";

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

try {
  const device = openNsmDevice(process.argv[2] ?? "/dev/nsm");
  await relayNsm(process.stdin, process.stdout, device, say);
  device.close();
} catch (thrown) {
  say(thrown instanceof HoldfastError ? thrown.message : messageOf(thrown));
  process.exitCode = 1;
}
