// GUIDs as firmware writes them: the first three parts little-endian, the rest as read (UEFI specification, appendix A).

/** The 16 bytes of a GUID. */
export function guidBytes(text: string): Uint8Array {
  const bytes = Uint8Array.fromHex(text.replaceAll("-", ""));
  return Uint8Array.of(
    ...bytes.subarray(0, 4).toReversed(),
    ...bytes.subarray(4, 6).toReversed(),
    ...bytes.subarray(6, 8).toReversed(),
    ...bytes.subarray(8),
  );
}

/** The text of 16 bytes, lower case. */
export function guidText(bytes: Uint8Array): string {
  const hex = Uint8Array.of(
    ...bytes.subarray(0, 4).toReversed(),
    ...bytes.subarray(4, 6).toReversed(),
    ...bytes.subarray(6, 8).toReversed(),
    ...bytes.subarray(8, 16),
  ).toHex();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
