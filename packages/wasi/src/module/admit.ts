// Admission of a program: what its bytes may hold before anything of it runs.

/** What may be admitted. */
export interface AdmissionLimits {
  /** Becomes the maximum of the module's memory. */
  readonly maxMemoryMib: number;
  /** Default 256 MiB. */
  readonly maxModuleBytes?: number;
}

/** A module that passed admission, compiled with its memory bounded. */
export interface AdmittedModule {
  /** Digest of the bytes as they were given, lower-case hexadecimal. */
  readonly sha256: string;
  /** Compiled once; runs share it. */
  readonly compiled: WebAssembly.Module;
  readonly size: number;
  /** Pages of 64 KiB. */
  readonly memory: { readonly initialPages: number; readonly maximumPages: number };
  /** Imported functions as `module.name`, sorted. */
  readonly imports: readonly string[];
}

/**
 * Parses, checks and compiles a program.
 * @throws WasiError MODULE_* when it is not admitted
 */
export async function admitModule(
  _bytes: Uint8Array,
  _limits: AdmissionLimits,
): Promise<AdmittedModule> {
  throw new Error("unfinished");
}
