// Files of the end-user program: its own identity, made once, and one for the bridge, made for each instance.
import { existsSync } from "node:fs";
import { type ClientIdentity, newIdentity } from "@holdfast/channel";
import type { Clock } from "@holdfast/core";
import { CliError } from "../errors.ts";
import { readIdentity, writeWholeFile } from "../files.ts";

const USER = { certificate: "USERcert.pem", key: "USERkey.pem" };

/** The user's identity in the working directory, made when it is missing. */
export async function userIdentity(clock: Clock): Promise<ClientIdentity & typeof USER> {
  const present = [USER.certificate, USER.key].filter((path) => existsSync(path));
  if (present.length === 1) {
    throw new CliError("CLI_FILE", `${present[0]} is here, but its other half is not`, {
      hint: `${USER.certificate} and ${USER.key} belong together: bring the other back, or move this one away`,
    });
  }
  if (present.length === 0) {
    const made = await newIdentity({ commonName: "holdfast user", clock });
    await writeIdentity(made, USER);
  }
  return { ...(await readIdentity(USER.certificate, USER.key)), ...USER };
}

/** A new identity for the bridge. */
export async function bridgeIdentity(clock: Clock, instanceId: string): Promise<ClientIdentity> {
  const made = await newIdentity({ commonName: "holdfast s3 bridge", clock, days: 2 });
  await writeIdentity(made, {
    certificate: `S3cert_${instanceId}.pem`,
    key: `S3key_${instanceId}.pem`,
  });
  return made;
}

async function writeIdentity(
  { certificatePem, keyPem }: ClientIdentity,
  files: { certificate: string; key: string },
): Promise<void> {
  await writeWholeFile(files.key, keyPem, { secret: true });
  await writeWholeFile(files.certificate, `${certificatePem}\n`);
}
