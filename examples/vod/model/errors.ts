// What can be wrong with a model that is converted.
import { HoldfastError } from "@holdfast/core";

/** Codes of conversion failures. */
export type ModelErrorCode = "MODEL_MANIFEST" | "MODEL_WEIGHTS";

/** A source model that is not what the conversion expects. */
export class ModelError extends HoldfastError {
  declare readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, options);
  }
}
