// Rows of CCFaaS: instances. What is registered and loaded is what the rows before leave behind.
import type { InstanceAnswer, UserPolicyBody } from "@holdfast/contract";
import type { World } from "../../../apps/control/src/testing/world.ts";
import { ask, differs, type Row, type Side, same, summaryOf } from "./row.ts";
import { definitionOf, PROGRAM, register, upload } from "./sample-function.ts";

/** A CCFaaS over our VaaS. */
export interface CcfaasSide extends Side {
  readonly world: World;
  /** Another one, whose VaaS nobody can reach, with a function `vod` of no loaded files. */
  readonly alone: Side;
  userPolicy(change: { instanceid?: string; function?: string }): UserPolicyBody;
}

const create = (side: CcfaasSide, id: string, name = "vod"): ReturnType<typeof ask> =>
  ask(side, CREATE, { json: side.userPolicy({ instanceid: id, function: name }) });

const LIST = "GET /instance";
const CREATE = "POST /instance";
const ONE = "GET /instance/ID";
const REMOVE = "DELETE /instance/ID";
const INVALID = "400 <p>Json object is not correct ...</p>";
const ANSWER = '200 {"instance":"one","policy":"POLICY"}';
const form = { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } };

async function policyOf(side: CcfaasSide): Promise<string> {
  const { policy } = JSON.parse((await ask(side, "GET /instance/one")).text) as InstanceAnswer;
  const value = JSON.parse(policy) as {
    ciphersuite: string;
    identities: { id: number; file_rights: unknown }[];
    programs: object[];
    file_hashes: { file_path: string }[];
  };
  const asked = side.userPolicy({}).identities.map(({ file_rights }) => file_rights);
  const wanted = [...asked, definitionOf("vod").file_rights];
  const rights = JSON.stringify(value.identities.map(({ file_rights }) => file_rights));
  return [
    Object.keys(value).join(", "),
    `${value.ciphersuite}`,
    `identities ${value.identities.map(({ id }) => id).join(", ")}`,
    rights === JSON.stringify(wanted) ? "the user's, then its own" : "other identities",
    `programs ${value.programs.map((each) => Object.keys(each).join(", ")).join("; ")}`,
    `hashes of ${value.file_hashes.map(({ file_path }) => file_path).join(", ")}`,
  ].join("; ");
}

const POLICY = [
  "ciphersuite, debug, enable_clock, execution_strategy, max_memory_mib, programs, identities, file_hashes, enclave_cert_expiry, proxy_attestation_server_url, proxy_service_cert, runtime_manager_hash_nitro, runtime_manager_hash_sgx, runtime_manager_hash_tz, veracruz_server_url",
  "TLS1_3_CHACHA20_POLY1305_SHA256",
  "identities 0, 1, 2",
  "the user's, then its own",
  "programs file_rights, id, program_file_name",
  "hashes of /program/detector.wasm, /program_data/coco.names",
].join("; ");

/** Rows of instances, after those of files. */
export const INSTANCE_ROWS: readonly Row<CcfaasSide>[] = [
  same(LIST, "none", '200 {"instances":[]}', (side) => ask(side, LIST)),
  differs(
    CREATE,
    "not JSON",
    {
      theirs: "400 <p>input should a json object!</p>",
      ours: "415 REQUEST_MEDIA_TYPE",
      why: "the status for it",
    },
    (side) => ask(side, CREATE, form),
  ),
  differs(CREATE, "an unknown member", { theirs: INVALID, ours: "400 REQUEST_INVALID" }, (side) =>
    ask(side, CREATE, { json: { ...side.userPolicy({}), extra: 1 } }),
  ),
  differs(
    CREATE,
    "no such function",
    { theirs: "404 <p>function none not found</p>", ours: "404 FUNCTION_NOT_FOUND" },
    (side) => create(side, "one", "none"),
  ),
  same(CREATE, "provisioned", ANSWER, (side) => create(side, "one")),
  same(CREATE, "the policy", POLICY, policyOf),
  differs(
    CREATE,
    "how VaaS knows it",
    { theirs: "CCFaaS", ours: "one", why: "one id for all tells none from the others" },
    async ({ world }) => (await world.vaas.keeps()).keeps[0]?.instance_id ?? "",
  ),
  differs(
    CREATE,
    "an id in use",
    {
      theirs: "400 <p>Could not create instance already exists one</p>",
      ours: "409 INSTANCE_EXISTS",
      why: "the status for it",
    },
    (side) => create(side, "one"),
  ),
  same(LIST, "one", '200 {"instances":["one"]}', (side) => ask(side, LIST)),
  same(ONE, "there", ANSWER, (side) => ask(side, "GET /instance/one")),
  differs(
    ONE,
    "not there",
    {
      theirs: "404 <p>Veracruz instance 'none' does not exist!</p>",
      ours: "404 INSTANCE_NOT_FOUND",
    },
    (side) => ask(side, "GET /instance/none"),
  ),
  same(
    ONE,
    "after its function is gone",
    '200 {"instance":"late","policy":"POLICY"}',
    async (side) => {
      await register(side, definitionOf("short"));
      await create(side, "late", "short");
      await ask(side, "DELETE /function/short");
      const answer = await ask(side, "GET /instance/late");
      await ask(side, "DELETE /instance/late");
      return answer;
    },
  ),
  same(REMOVE, "there", "200 <p>instance one deleted</p>", (side) =>
    ask(side, "DELETE /instance/one"),
  ),
  differs(
    REMOVE,
    "not there",
    {
      theirs: "404 <p>Veracruz instance 'one' removed!</p>",
      ours: "404 INSTANCE_NOT_FOUND",
    },
    (side) => ask(side, "DELETE /instance/one"),
  ),
  same(REMOVE, "its keep is gone", "0 keeps", async ({ world }) => {
    const names = (await world.vaas.list()).veracruz;
    return `${names.length} keeps`;
  }),
  differs(
    CREATE,
    "a function without data_files",
    {
      theirs: "500 page of Flask",
      ours: '200 {"instance":"two","policy":"POLICY"}',
      why: "theirs fails, and the id stays taken until it is asked after",
    },
    async (side) => {
      await upload(side, "no data", PROGRAM);
      const answer = await create(side, "two", "no data");
      await ask(side, side.isOurs ? "DELETE /instance/two" : "GET /instance/two");
      return answer;
    },
  ),
  differs(
    CREATE,
    "a program, and data that is not loaded",
    {
      theirs: "200 an instance, 1 keep goes on",
      ours: "409 FUNCTION_INCOMPLETE, 0 keeps go on",
      why: "refused before anything starts: it could not run",
    },
    async (side) => {
      await register(side, definitionOf("half"));
      await upload(side, "half", PROGRAM);
      return left(side, await create(side, "half", "half"));
    },
  ),
  differs(
    CREATE,
    "the keep takes no data",
    {
      theirs: "500 page of Flask, 1 keep goes on",
      ours: "502 PROVISIONING_FAILED, 0 keeps go on",
      why: "what failed is ended",
    },
    async (side) => {
      side.world.setFaults({ refusePath: "/program_data" });
      try {
        return left(side, await create(side, "refused"));
      } finally {
        side.world.setFaults({});
      }
    },
  ),
  differs(
    CREATE,
    "VaaS refuses",
    {
      theirs: "500 <p>Error accessing the vaas_server response code was 502</p>",
      ours: "502 VAAS_REFUSED",
      why: "the status for it; says the reason",
    },
    async (side) => {
      side.world.setFaults({ fail: "told to" });
      try {
        return await create(side, "fails");
      } finally {
        side.world.setFaults({});
      }
    },
  ),
  differs(
    CREATE,
    "VaaS can't be reached",
    {
      theirs: "500 <p>Error accessing the vaas_server ...</p>",
      ours: "502 VAAS_UNREACHABLE",
      why: "the status for it",
    },
    async (side) => {
      const json = side.userPolicy({ instanceid: "alone" });
      const answer = await ask(side.alone, CREATE, { json });
      return { ...answer, text: answer.text.replace(/(the vaas_server) .*(<\/p>)/s, "$1 ...$2") };
    },
  ),
  differs(
    CREATE,
    "a text that is no certificate",
    {
      theirs: "500 <p>Error accessing the vaas_server response code was 422</p>",
      ours: "422 POLICY_INVALID",
      why: "theirs looks at no certificate; our VaaS does",
    },
    (side) => {
      const policy = side.userPolicy({ instanceid: "none" });
      const identities = policy.identities.map((each) => ({ ...each, certificate: "none" }));
      return ask(side, CREATE, { json: { ...policy, identities } });
    },
  ),
];

/** What was answered, and how many keeps go on; they are ended then. */
async function left(
  { world }: CcfaasSide,
  answer: Awaited<ReturnType<typeof ask>>,
): Promise<string> {
  const { veracruz } = await world.vaas.list();
  for (const each of veracruz) {
    for (const [name, { instance_hash }] of Object.entries(each)) {
      await world.vaas.delete(name, { instance_hash });
    }
  }
  const what = answer.status === 200 ? "200 an instance" : summaryOf(answer);
  return `${what}, ${veracruz.length} ${veracruz.length === 1 ? "keep goes" : "keeps go"} on`;
}
