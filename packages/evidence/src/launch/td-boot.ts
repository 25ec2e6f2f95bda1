// Runtime registers of a TD whose kernel, initrd and command line the hypervisor hands to the firmware (QEMU's -kernel
// under OVMF). RTMR0 is of the machine: firmware variables and tables of the hypervisor; its log explains it.
import { type CryptoPort, concat, fromText } from "@holdfast/core";
import { malformed } from "../errors.ts";
import { imageDigest } from "./image-digest.ts";
import type { StartedKernel } from "./kernel-hashes.ts";

/** Registers after the kernel took over. */
export interface TdBootRegisters {
  readonly rtmr1: Uint8Array;
  readonly rtmr2: Uint8Array;
}

const HASH = "SHA-384";
const LENGTH = 48;
const MAXIMUM_COMMAND_LINE = 65_536;
const STARTING = "Calling EFI Application from Boot Option";
const LEAVING = ["Exit Boot Services Invocation", "Exit Boot Services Returned with Success"];

/**
 * What RTMR1 and RTMR2 are after such a start. The kernel is the file as the firmware gets it: QEMU leaves it as it is for
 * confidential guests, older hypervisors wrote into its setup header.
 * @throws EvidenceError EVIDENCE_MALFORMED when the kernel has no EFI stub
 */
export async function tdxBootRegisters(
  { kernel, initrd, commandLine }: StartedKernel,
  crypto: CryptoPort,
): Promise<TdBootRegisters> {
  const digest = async (bytes: Uint8Array): Promise<Uint8Array> => await crypto.digest(HASH, bytes);
  const hasInitrd = initrd !== undefined && initrd.length > 0;
  const options = loadOptions(commandLine ?? "", hasInitrd);
  return {
    rtmr1: await rtmr1Of(await imageDigest(kernel, HASH, crypto), crypto),
    // The kernel's own stub measures what it was given, and nothing for what it was not.
    rtmr2: await extended(
      [
        ...(options.length > 0 ? [await digest(options)] : []),
        ...(hasInitrd ? [await digest(initrd)] : []),
      ],
      crypto,
    ),
  };
}

/** RTMR1 by the digest of the kernel's image. */
export async function rtmr1Of(image: Uint8Array, crypto: CryptoPort): Promise<Uint8Array> {
  const events = [fromText(STARTING), new Uint8Array(4), ...LEAVING.map(fromText)];
  const digests = await Promise.all(events.map((event) => crypto.digest(HASH, event)));
  return await extended([image, ...digests], crypto);
}

/** The firmware tells the stub in UTF-16 what to load, with a zero at the end. */
function loadOptions(commandLine: string, hasInitrd: boolean): Uint8Array {
  if (commandLine.length > MAXIMUM_COMMAND_LINE) throw malformed("command line: too long");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what the firmware can't take is refused
  if (!/^[\x01-\x7f]*$/.test(commandLine)) throw malformed("command line: not ASCII");
  const text = hasInitrd ? `${commandLine} initrd=initrd` : commandLine;
  if (text === "") return new Uint8Array();
  return Uint8Array.from([...`${text}\0`].flatMap((letter) => [letter.charCodeAt(0), 0]));
}

async function extended(digests: readonly Uint8Array[], crypto: CryptoPort): Promise<Uint8Array> {
  let value: Uint8Array = new Uint8Array(LENGTH);
  for (const digest of digests) value = await crypto.digest(HASH, concat(value, digest));
  return value;
}
