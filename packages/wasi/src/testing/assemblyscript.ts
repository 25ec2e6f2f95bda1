// The AssemblyScript compiler, for tests. Its own type definitions declare AssemblyScript's globals, which would then
// hold for this whole repository, so that it is imported without them.

interface Compiler {
  main(
    options: readonly string[],
    host: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles(): string[];
      readonly stderr: { write(chunk: unknown): void };
    },
  ): Promise<{ readonly error: Error | null }>;
}

const COMPILER: string = "assemblyscript/asc";

/** Compiles a program whose top level becomes `_start`. */
export async function compileAssemblyScript(source: string): Promise<Uint8Array> {
  const { main } = (await import(COMPILER)) as Compiler;
  let program: Uint8Array | undefined;
  const messages: string[] = [];
  const { error } = await main(
    [
      "program.ts",
      "--outFile",
      "program.wasm",
      "--exportStart",
      "_start",
      "--use",
      "abort=",
      "-O1",
    ],
    {
      readFile: (name) => (name === "program.ts" ? source : null),
      writeFile: (name, contents) => {
        if (name === "program.wasm" && typeof contents !== "string") program = contents;
      },
      listFiles: () => [],
      stderr: { write: (chunk) => void messages.push(String(chunk)) },
    },
  );
  if (error !== null || program === undefined) throw new Error(messages.join("") || `${error}`);
  return program;
}
