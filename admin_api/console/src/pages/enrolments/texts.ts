/** What an enrolment matches and what it does, in words. */
import { pluralize } from "../../parts/numbers";
import { keyOf } from "../../parts/target_names";
import type { Enrolment } from "./operations";

/** Return the conditions, all of which a device must meet. */
export function conditionsOf({ match, listLength }: Enrolment): string[] {
  return [
    ...(match.namePattern ? [`name ${match.namePattern}`] : []),
    ...(match.listed ? [`one of ${pluralize(listLength ?? 0, "serial number")}`] : []),
    ...match.subject.map(({ field, value }) => `${field} = ${value}`),
    ...(match.ca ? [`CA ${match.ca.slice(0, 12)}…`] : []),
  ];
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
