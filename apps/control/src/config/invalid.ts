// How a configuration is refused.
import { ControlError } from "../errors.ts";

/** What a section of the configuration throws when it makes no sense. */
export function invalid(message: string): ControlError {
  return new ControlError(500, "CONFIG_INVALID", message);
}
