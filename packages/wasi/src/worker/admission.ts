// What is said to the thread that admits a program, and what it answers. The file's bytes and the compiled module are
// shared, not copied.
import type { WasiErrorCode } from "../errors.ts";
import type { AdmissionLimits, AdmittedModule } from "../module/admit.ts";
import type { Content } from "../store/content.ts";

/** A program to be admitted. */
export interface Admission {
  readonly content: Content;
  readonly limits: AdmissionLimits;
}

/** The program, or why it is none. */
export type AdmissionAnswer =
  | { readonly admitted: AdmittedModule }
  | { readonly refused: { readonly code: WasiErrorCode; readonly message: string } };
