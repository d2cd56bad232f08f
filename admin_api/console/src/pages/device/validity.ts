/** Checks a certificate's validity dates: a device with an expired certificate cannot connect. */
import { pluralize } from "../../parts/numbers";

const DAY_MS = 86_400_000;
export const SOON_DAYS = 30;

export type Validity = { is: "valid" | "early" | "expired" } | { is: "soon"; days: number };

export function validityOf(notBefore: string, notAfter: string, now: Date): Validity {
  const left = Date.parse(notAfter) - now.getTime();
  if (left < 0) return { is: "expired" };
  if (Date.parse(notBefore) > now.getTime()) return { is: "early" };
  return left < SOON_DAYS * DAY_MS ? { is: "soon", days: Math.floor(left / DAY_MS) } : { is: "valid" };
}

/** The warning; null if valid. */
export function validityText(validity: Validity): string | null {
  switch (validity.is) {
    case "expired":
      return "Expired. The device can't connect anywhere and needs a new certificate from its manufacturer.";
    case "early":
      return "Not valid yet. Check the manufacturer's clock and this computer's.";
    case "soon":
      return `Expires ${validity.days === 0 ? "today" : `in ${pluralize(validity.days, "day")}`}. The device needs a new certificate before then.`;
    case "valid":
      return null;
  }
}
