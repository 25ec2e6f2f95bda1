// What rows of VaaS ask.
import type { VaasPolicyBody, VeracruzCreated } from "@holdfast/contract";
import { ask, type Side } from "./row.ts";

/** A VaaS with two ports, and its surroundings. */
export interface VaasSide extends Side {
  /** A policy that it takes. */
  body(change?: Partial<VaasPolicyBody>): VaasPolicyBody;
  /** Makes keeps fail, or no longer. */
  failKeeps(fail: boolean): void;
  /** Ends what no answer told of, so that its port is free. */
  cleanUp(): void;
  /** What was made and is still there, by instance id. */
  readonly made: Map<string, Made>;
}

/** An instance. */
export interface Made {
  readonly name: string;
  readonly hash: string;
  readonly policy: string;
}

type Answered = ReturnType<typeof ask>;

/** Asks for an instance, and remembers it. */
export async function create(side: VaasSide, change: Partial<VaasPolicyBody> = {}): Answered {
  const json = side.body(change);
  if ("instance_id" in change && change.instance_id === undefined) delete json.instance_id;
  const answer = await ask(side, "POST /veracruz", { json });
  if (answer.status === 200) {
    const { instance_hash: hash, policy } = JSON.parse(answer.text) as VeracruzCreated;
    const port = (JSON.parse(policy) as { veracruz_server_url: string }).veracruz_server_url;
    const name = `veracruz-nitro-server:${port.split(":")[1]}`;
    side.made.set(json.instance_id ?? "", { name, hash, policy });
  }
  return answer;
}

/** Asks after an instance that was made. */
export function get(
  side: VaasSide,
  id: string,
  query: (made: Made) => string = () => "",
): Answered {
  const made = side.made.get(id);
  return ask(side, `GET /veracruz/${made?.name}${made === undefined ? "" : query(made)}`);
}

/** Takes an instance away that was made. */
export async function remove(
  side: VaasSide,
  id: string,
  query: (made: Made) => string = ({ hash }) => `?instance_id=${id}&instance_hash=${hash}`,
): Answered {
  const made = side.made.get(id);
  const path = `/veracruz/${made?.name}${made === undefined ? "" : query(made)}`;
  const answer = await ask(side, `DELETE ${path}`);
  if (answer.status === 200) side.made.delete(id);
  return answer;
}

/** Creates and takes away again; for what is looked at by its status alone. */
export async function createBriefly(side: VaasSide, change: Partial<VaasPolicyBody>): Answered {
  const answer = await create(side, { instance_id: "brief", ...change });
  if (answer.status === 200) await remove(side, "brief");
  side.cleanUp();
  return answer;
}

/** When the policy of a request without an expiry ends. */
export async function expiryOf(side: VaasSide): Promise<string> {
  const before = new Date();
  const body = side.body({ instance_id: "brief" });
  delete body.enclave_cert_expiry;
  const answer = await ask(side, "POST /veracruz", { json: body });
  const { instance_hash: hash, policy } = JSON.parse(answer.text) as VeracruzCreated;
  const { enclave_cert_expiry: expiry, veracruz_server_url: at } = JSON.parse(policy);
  await ask(side, `DELETE /veracruz/x:${at.split(":")[1]}?instance_id=brief&instance_hash=${hash}`);
  side.cleanUp();
  const day = new Date(before.getTime() + 180 * 86_400_000).toISOString().slice(0, 10);
  const told = Date.UTC(expiry.year, expiry.month - 1, expiry.day);
  const isDay = Math.abs(told - Date.parse(day)) <= 86_400_000;
  // Once in an hour minute and second are one number: then each is taken to be what it should be.
  const seconds = Array.from({ length: Math.ceil((Date.now() - before.getTime()) / 1000) + 1 }).map(
    (_, index) => (before.getUTCSeconds() + index) % 60,
  );
  const kinds = [
    ["the minute", [before, new Date()].map((each) => each.getUTCMinutes())],
    ["the second", seconds],
  ] as const;
  const inOrder = side.isOurs ? kinds : [...kinds].reverse();
  const [kind = "something else"] =
    inOrder.find(([, numbers]) => numbers.includes(expiry.minute)) ?? [];
  return `${answer.status} in ${isDay ? 180 : "other"} days, its minute is ${kind}`;
}

/** What stands in the policy text that was answered. */
export async function policyOf(side: VaasSide): Promise<string> {
  const { policy = "" } = side.made.get("instance1") ?? {};
  const value = JSON.parse(policy);
  const isSpaced = policy === JSON.stringify(value, undefined, 4);
  const asked = Object.keys(side.body()).filter((name) => name !== "instance_id");
  const added = Object.keys(value).slice(asked.length).join(", ");
  const isKept = asked.every(
    (name, at) =>
      Object.keys(value)[at] === name &&
      JSON.stringify(value[name]) === JSON.stringify({ ...side.body() }[name as "programs"]),
  );
  const rest = `sgx ${JSON.stringify(value.runtime_manager_hash_sgx)}, at 127.0.0.1:PORT`;
  const at = /^127\.0\.0\.1:\d+$/.test(value.veracruz_server_url) ? rest : "elsewhere";
  return `${isKept ? "what was sent, in its order" : "changed"}, then ${added}; ${isSpaced ? "4" : "other"} spaces; ${at}`;
}
