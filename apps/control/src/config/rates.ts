// How often callers may ask.
import type { Rate } from "@holdfast/channel";
import { type Static, Type } from "typebox";
import type { Rates } from "../access/request-limits.ts";

const CLOSED = { additionalProperties: false };

const RateSection = Type.Object(
  {
    per_second: Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }),
    burst: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  },
  CLOSED,
);

/** `access.rates` in the file. */
export const RatesSection = Type.Object(
  {
    principal: Type.Optional(RateSection),
    address: Type.Optional(RateSection),
    failures: Type.Optional(RateSection),
  },
  CLOSED,
);

/** Many times what a busy client does, and little enough that one can't stand in everybody's way. */
const DEFAULT_RATES: Rates = {
  principal: { perSecond: 200, burst: 2000 },
  address: { perSecond: 500, burst: 5000 },
  failures: { perSecond: 0.2, burst: 20 },
};

/** The section with its defaults. */
export function ratesOf(rates: Static<typeof RatesSection>): Rates {
  const rateOf = (kind: keyof Rates): Rate => {
    const rate = rates[kind];
    if (rate === undefined) return DEFAULT_RATES[kind];
    return { perSecond: rate.per_second, burst: rate.burst };
  };
  return {
    principal: rateOf("principal"),
    address: rateOf("address"),
    failures: rateOf("failures"),
  };
}
