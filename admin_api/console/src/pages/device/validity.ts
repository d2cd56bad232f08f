/** Whether a certificate's dates need somebody: a device whose certificate has run out cannot connect anywhere. */
const DAY_MS = 86_400_000;
export const SOON_DAYS = 30;

export type Validity = { is: "valid" | "early" | "expired" } | { is: "soon"; days: number };

export function validityOf(notBefore: string, notAfter: string, now: Date): Validity {
  const left = Date.parse(notAfter) - now.getTime();
  if (left < 0) return { is: "expired" };
  if (Date.parse(notBefore) > now.getTime()) return { is: "early" };
  return left < SOON_DAYS * DAY_MS ? { is: "soon", days: Math.floor(left / DAY_MS) } : { is: "valid" };
}

/** What to say of it; null where all is well. */
export function validityWords(validity: Validity): string | null {
  switch (validity.is) {
    case "expired":
      return "Expired: it can connect nowhere. It needs a new certificate from its manufacturer.";
    case "early":
      return "Not valid yet. Look at the factory's clock, or at this one.";
    case "soon":
      return `Expires ${validity.days === 0 ? "today" : `in ${validity.days} ${validity.days === 1 ? "day" : "days"}`}: it needs a new one before that.`;
    case "valid":
      return null;
  }
}
