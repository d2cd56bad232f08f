/** What an enrolment matches and what it does, in words. */
import { pluralize } from "../../parts/numbers";
import { keyOf } from "../../parts/target_names";
import type { Enrolment } from "./operations";

type ClaimCertificate = Enrolment["claimCertificates"][number];

/** The time before an expiry in which the lobby raises its alarm: 30 days. */
const EXPIRES_SOON = 30 * 24 * 60 * 60 * 1000;

/** Return the conditions, all of which a device must meet. */
export function conditionsOf({ match, listLength, door }: Enrolment): string[] {
  const conditions = [
    ...(match.namePattern ? [`name ${match.namePattern}`] : []),
    ...(match.listed ? [`one of ${pluralize(listLength ?? 0, "serial number")}`] : []),
    ...match.subject.map(({ field, value }) => `${field} = ${value}`),
    ...(match.ca ? [`CA ${match.ca.slice(0, 12)}…`] : []),
  ];
  if (door !== "claim") return conditions;
  return ["a claim certificate", ...(conditions.length ? conditions : ["any serial number"])];
}

/** Return what is said about a claim certificate. */
export function claimCertificateText({ state, expires }: ClaimCertificate): string {
  const day = expires.slice(0, 10);
  if (state === "active") return `expires on ${day}`;
  return state === "expired" ? `expired on ${day}` : `${state}, expires on ${day}`;
}

/** Return whether a claim certificate in use has to be replaced at the time `now`. */
export function isExpiring({ state, expires }: ClaimCertificate, now: number): boolean {
  return state === "active" && Date.parse(expires) - now < EXPIRES_SOON;
}

/** Return what its devices are claimed for. `nameOf` returns the display name of a target. */
export function claimsOf({ allocation }: Enrolment, nameOf: (key: string) => string): string {
  if (!allocation) return "Devices wait for a claim";
  if (allocation.function) return `Claimed for the target that ${allocation.function} chooses`;
  const total = allocation.targets.reduce((sum, { weight }) => sum + weight, 0);
  const shares = allocation.targets.map((target) => {
    const share = allocation.targets.length > 1 ? ` (${Math.round((100 * target.weight) / total)} %)` : "";
    return nameOf(keyOf(target)) + share;
  });
  return `Claimed for ${shares.join(", ")}`;
}
