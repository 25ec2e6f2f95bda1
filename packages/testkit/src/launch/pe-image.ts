// A small PE image, as a kernel with an EFI stub is one.

const [HEADER, OPTIONAL, HEADERS, SECTION] = [0x40, 0x58, 0x200, 0x200];
/** Where what is not digested lies. */
export const PE_OFFSET: Readonly<Record<"checksum" | "certificates" | "sections", number>> = {
  checksum: OPTIONAL + 64,
  certificates: OPTIONAL + 112 + 4 * 8,
  sections: OPTIONAL + 112 + 16 * 8,
};

/** An image of two sections, which stand in the table in the other order; more bytes may follow. */
export function peImage(trailing: Uint8Array = new Uint8Array()): Uint8Array {
  const image = new Uint8Array(HEADERS + 2 * SECTION + trailing.length);
  const view = new DataView(image.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  u16(0, 0x5a4d);
  u32(0x3c, HEADER);
  u32(HEADER, 0x4550);
  u16(HEADER + 4, 0x8664);
  u16(HEADER + 6, 2);
  u16(HEADER + 20, 112 + 16 * 8);
  u16(HEADER + 22, 0x22e);
  u16(OPTIONAL, 0x20b);
  u32(OPTIONAL + 16, 0x1000);
  u32(OPTIONAL + 32, 0x1000);
  u32(OPTIONAL + 36, 0x200);
  u32(OPTIONAL + 56, 0x3000);
  u32(OPTIONAL + 60, HEADERS);
  u16(OPTIONAL + 68, 10);
  u32(OPTIONAL + 108, 16);
  for (const [index, from] of [HEADERS + SECTION, HEADERS].entries()) {
    const at = PE_OFFSET.sections + index * 40;
    image.set(new TextEncoder().encode(index === 0 ? ".data" : ".text"), at);
    u32(at + 8, SECTION);
    u32(at + 12, index === 0 ? 0x2000 : 0x1000);
    u32(at + 16, SECTION);
    u32(at + 20, from);
    image.fill(index + 1, from, from + SECTION);
  }
  image.set(trailing, HEADERS + 2 * SECTION);
  return image;
}
