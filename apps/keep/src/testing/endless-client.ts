// A client in a process of its own that uploads without end, for tests to kill. Standard input: {policy, identity, path}.
import { type ClientIdentity, connectKeep } from "@holdfast/channel";
import { KeepClient } from "@holdfast/contract";
import { systemClock } from "@holdfast/core";
import { parsePolicy } from "@holdfast/policy";

let text = "";
for await (const part of process.stdin.setEncoding("utf8")) text += part;
const given = JSON.parse(text) as { policy: string; identity: ClientIdentity; path: string };
const policy = parsePolicy(given.policy);
const connection = await connectKeep({ policy, identity: given.identity, clock: systemClock });

async function* trickle(): AsyncGenerator<Uint8Array> {
  const part = new Uint8Array(64 * 1024);
  for (;;) {
    yield part;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

await new KeepClient(connection).putFile(given.path, trickle());
