// What a JSON Schema of the originals and ours say of the shape of a request: members, types, what is required, and that
// nothing else may be there. Bounds and formats are ours alone.

/** As much of a schema as is compared. */
export interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly items?: Shape;
}

/** Differences in words, each with the path of where it is; none when there are none. */
export function compareSchemas(theirs: Shape, ours: Shape, path = ""): string[] {
  const at = (text: string): string => `${path} ${text}`.trim();
  const differences: string[] = [];
  if (theirs.type !== ours.type) differences.push(at(`type: ${theirs.type}, ours ${ours.type}`));
  if (theirs.items !== undefined) {
    differences.push(...compareSchemas(theirs.items, ours.items ?? {}, `${path}[]`));
  }
  if (theirs.properties === undefined) return differences;
  if (ours.additionalProperties !== false) differences.push(at("open"));
  const [known, own] = [theirs.properties, ours.properties ?? {}];
  const [must, ownMust] = [theirs.required ?? [], ours.required ?? []];
  differences.push(
    ...ownMust.filter((name) => !must.includes(name)).map((name) => at(`required: ${name}`)),
    ...must.filter((name) => !ownMust.includes(name)).map((name) => at(`not required: ${name}`)),
    ...Object.keys(own)
      .filter((name) => !(name in known))
      .map((name) => at(`more: ${name}`)),
  );
  for (const [name, member] of Object.entries(known)) {
    const where = path === "" ? name : `${path}.${name}`;
    if (own[name] === undefined) differences.push(`${where} missing`);
    else differences.push(...compareSchemas(member, own[name], where));
  }
  return differences;
}
