// The C compiler and linker: LLVM compiled to WebAssembly, from npm. Nothing of the machine's own takes part, so
// that the same packages give the same bytes everywhere.

import { commands, type Tree } from "@yowasp/clang";

const TARGET = "--target=wasm32-wasip1";

/** Libraries and start code of the sysroot inside the package, as `clang -###` names them. */
const SYSROOT = "/usr/lib/wasm32-wasip1";
const BUILTINS = "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a";

/** A compiler or linker run that failed, with everything it said. */
export class ToolchainError extends Error {
  readonly code = "VOD_BUILD_FAILED";
}

/** Loads the toolchain. Without this first step the package's compiler wrapper prints its own progress. */
export async function loadToolchain(): Promise<void> {
  const quiet = (): void => undefined;
  await commands["wasm-ld"](
    ["--version"],
    {},
    { stdout: quiet, stderr: quiet, fetchProgress: quiet },
  );
}

/**
 * Compiles C files of `files`, whose names without folders must differ, and returns their objects in the same order.
 * Several at once, because every call starts the whole toolchain anew. `say` gets warnings.
 */
export async function compile(
  files: Tree,
  sources: readonly string[],
  flags: readonly string[],
  say: (text: string) => void,
): Promise<Uint8Array[]> {
  const made = await run("clang", [TARGET, ...flags, "-c", ...sources], files, say);
  return sources.map((source) => output(made, `${source.replace(/^.*\//, "").slice(0, -1)}o`));
}

/** Links objects to a WASI command without names or debug data. */
export async function link(
  objects: readonly Uint8Array[],
  stackBytes: number,
  say: (text: string) => void,
): Promise<Uint8Array> {
  const files: Tree = {};
  objects.forEach((bytes, index) => {
    files[`${index}.o`] = bytes;
  });
  const args = [
    "-m",
    "wasm32",
    `-L${SYSROOT}`,
    `${SYSROOT}/crt1-command.o`,
    ...Object.keys(files),
    "-z",
    `stack-size=${stackBytes}`,
    "--strip-all",
    "--gc-sections",
    "--stack-first",
    "-lc",
    BUILTINS,
    "-o",
    "out.wasm",
  ];
  return output(await run("wasm-ld", args, files, say), "out.wasm");
}

async function run(
  tool: "clang" | "wasm-ld",
  args: string[],
  files: Tree,
  say: (text: string) => void,
): Promise<Tree> {
  const decoder = new TextDecoder();
  let said = "";
  const listen = (bytes: Uint8Array | null): void => {
    if (bytes !== null) said += decoder.decode(bytes, { stream: true });
  };
  try {
    const made = await commands[tool](args, files, { stdout: listen, stderr: listen });
    if (said !== "") say(said);
    return made ?? {};
  } catch {
    // The toolchain's own exception carries every file it was given: too much to pass on.
    throw new ToolchainError(`${tool} ${args.join(" ")} failed\n${said}`);
  }
}

function output(tree: Tree, name: string): Uint8Array {
  const bytes = tree[name];
  if (!(bytes instanceof Uint8Array))
    throw new ToolchainError(`the toolchain did not make ${name}`);
  return bytes;
}
