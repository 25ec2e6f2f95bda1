// Row by row: our CCFaaS, and the original where it was fetched; both over our VaaS.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { newIdentities, userPolicy } from "../../apps/control/src/testing/samples.ts";
import { makeWorld, type World } from "../../apps/control/src/testing/world.ts";
import { freePorts } from "../e2e/free-ports.ts";
import { type Original, skipWithoutOriginals, startOriginal } from "../peers/originals.ts";
import { FILE_ROWS } from "./originals/file-rows.ts";
import { FUNCTION_ROWS } from "./originals/function-rows.ts";
import { type CcfaasSide, INSTANCE_ROWS } from "./originals/instance-rows.ts";
import { definitionOf, register } from "./originals/sample-function.ts";
import { testRows } from "./originals/test-rows.ts";

const LIMITS = { program_bytes: 10_000_000 };

describe("our CCFaaS", { concurrency: false }, () => {
  let world: World;
  let alone: World;
  let side: CcfaasSide;
  before(async () => {
    world = await makeWorld({ limits: LIMITS });
    const [nobody] = await freePorts(1);
    alone = await makeWorld({ vaasUrl: `http://127.0.0.1:${nobody}` });
    for (const each of [world, alone]) await each.start();
    side = await sideOf(world, true, world.ccfaasUrl, alone.ccfaasUrl);
  });
  after(async () => {
    for (const each of [world, alone]) await each?.close();
  });
  testAll(() => side);
});

describe("the original CCFaaS", { concurrency: false, skip: skipWithoutOriginals() }, () => {
  let directory: string;
  let world: World;
  let ccfaas: Original;
  let alone: Original;
  let side: CcfaasSide;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "holdfast-original-"));
    world = await makeWorld();
    await world.start();
    const { bridge } = await newIdentities();
    const [certificate, key] = [join(directory, "load.pem"), join(directory, "load.key")];
    writeFileSync(certificate, bridge.certificatePem);
    writeFileSync(key, bridge.keyPem);
    const [port = 0, other = 0, nobody] = await freePorts(3);
    const identity = {
      PROGRAM_LOAD_CERTIFICATE: bridge.certificatePem.trimEnd(),
      PROGRAM_LOAD_CERTIFICATE_FILE: certificate,
      PROGRAM_LOAD_KEY_FILE: key,
    };
    [ccfaas, alone] = await Promise.all([
      startOriginal("ccfaas", {
        directory: join(directory, "ccfaas"),
        port,
        environment: { ...identity, VAAS_ACCESS_URL: world.vaasUrl },
      }),
      startOriginal("ccfaas", {
        directory: join(directory, "alone"),
        port: other,
        environment: { ...identity, VAAS_ACCESS_URL: `http://127.0.0.1:${nobody}` },
      }),
    ]);
    side = await sideOf(world, false, ccfaas.url, alone.url);
  });
  after(async () => {
    await Promise.all([ccfaas?.close(), alone?.close()]);
    await world?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  testAll(() => side);
});

function testAll(side: () => CcfaasSide): void {
  testRows(FUNCTION_ROWS, side);
  testRows(FILE_ROWS, side);
  testRows(INSTANCE_ROWS, side);
}

async function sideOf(
  world: World,
  isOurs: boolean,
  url: string,
  aloneUrl: string,
): Promise<CcfaasSide> {
  const identities = await newIdentities();
  const alone = { isOurs, url: aloneUrl };
  await register(alone, definitionOf("vod"));
  const byDefault = { function: "vod", instanceid: "any" };
  return {
    isOurs,
    url,
    world,
    alone,
    userPolicy: (change) => userPolicy(identities, { ...byDefault, ...change }),
  };
}
