// The driver of the Nitro Security Module: one ioctl that takes where a request lies and where its answer may go
// (linux/nsm.h, NSM_IOCTL_RAW). Node has no ioctl of its own, so this calls the C library's by node:ffi, which makes it
// code for a process of its own: a wrong address here ends whoever makes it.

import { DynamicLibrary, getInt32, getRawPointer } from "node:ffi";
import { closeSync, openSync } from "node:fs";
import { endianness } from "node:os";
import { messageOf } from "@holdfast/core";
import { AttesterError } from "../errors.ts";
import { MAXIMUM_NSM_REQUEST, MAXIMUM_NSM_RESPONSE } from "./messages.ts";

/** The module, as its driver shows it. */
export interface NsmDevice {
  /**
   * One request of CBOR, answered in CBOR; waits as long as the module takes.
   * @throws AttesterError ATTESTER_INPUT for a request that the driver can't take, ATTESTER_REFUSED when it fails,
   * ATTESTER_PROTOCOL for an answer of a length that can't be
   */
  exchange(request: Uint8Array): Uint8Array;
  close(): void;
}

/** struct nsm_raw: address and length of the request, then of the response. */
const MESSAGE = { requestAt: 0, requestLength: 8, responseAt: 16, responseLength: 24, size: 32 };
/** _IOWR(0x0A, 0, struct nsm_raw): direction, size, magic, number. */
const NSM_IOCTL_RAW = (3n << 30n) | (BigInt(MESSAGE.size) << 16n) | (0x0an << 8n);
const EMSGSIZE = 90;

/**
 * Opens the device.
 * @throws AttesterError ATTESTER_UNREACHABLE
 */
export function openNsmDevice(path: string): NsmDevice {
  if (endianness() !== "LE") throw unreachable(path, "Nitro enclaves are little-endian");
  const descriptor = openDevice(path);
  const { ioctl, errno } = native(path);
  // One piece of memory that never moves: the message, the request, the room for the response.
  const memory = new ArrayBuffer(MESSAGE.size + MAXIMUM_NSM_REQUEST + MAXIMUM_NSM_RESPONSE);
  const message = new DataView(memory, 0, MESSAGE.size);
  const requestAt = MESSAGE.size;
  const responseAt = requestAt + MAXIMUM_NSM_REQUEST;
  const address = getRawPointer(memory);
  return {
    exchange(request) {
      if (request.length === 0 || request.length > MAXIMUM_NSM_REQUEST) {
        throw new AttesterError("ATTESTER_INPUT", `request of ${request.length} bytes`);
      }
      const bytes = new Uint8Array(memory);
      bytes.fill(0);
      bytes.set(request, requestAt);
      message.setBigUint64(MESSAGE.requestAt, address + BigInt(requestAt), true);
      message.setBigUint64(MESSAGE.requestLength, BigInt(request.length), true);
      message.setBigUint64(MESSAGE.responseAt, address + BigInt(responseAt), true);
      message.setBigUint64(MESSAGE.responseLength, BigInt(MAXIMUM_NSM_RESPONSE), true);
      if (ioctl(descriptor, NSM_IOCTL_RAW, address) !== 0) throw failure(errno());
      const length = message.getBigUint64(MESSAGE.responseLength, true);
      if (length < 1n || length > BigInt(MAXIMUM_NSM_RESPONSE)) {
        throw new AttesterError("ATTESTER_PROTOCOL", `the driver answers ${length} bytes`);
      }
      return bytes.slice(responseAt, responseAt + Number(length));
    },
    close() {
      closeSync(descriptor);
    },
  };
}

function openDevice(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (cause) {
    throw unreachable(path, messageOf(cause), cause);
  }
}

/** The two functions of the C library that Node itself runs on. */
function native(path: string): {
  ioctl: (descriptor: number, request: bigint, message: bigint) => number;
  errno: () => number;
} {
  try {
    const library = new DynamicLibrary(null);
    const ioctl = library.getFunction("ioctl", {
      arguments: ["int32", "uint64", "pointer"],
      return: "int32",
    });
    const place = library.getFunction("__errno_location", { arguments: [], return: "pointer" });
    return { ioctl, errno: () => getInt32(place()) };
  } catch (cause) {
    throw unreachable(path, `this Node can't call the C library: ${messageOf(cause)}`, cause);
  }
}

/** What Node does between the two calls may change the number: it says why, and nothing hangs on it. */
function failure(errno: number): AttesterError {
  return errno === EMSGSIZE
    ? new AttesterError("ATTESTER_INPUT", "the driver finds the request too large")
    : new AttesterError("ATTESTER_REFUSED", `the driver fails with error ${errno}`);
}

function unreachable(path: string, why: string, cause?: unknown): AttesterError {
  return new AttesterError("ATTESTER_UNREACHABLE", `${path} can't be used: ${why}`, { cause });
}
