/**
 * The conditions of the activity log: in the address, in the form, and as the API's filter. An invalid
 * condition in the address is sent unchanged, so that the API returns the error. Only a target without Region
 * is omitted.
 */
import type { ActivityFilter } from "./operations";

/** What the form has; "" means any. Times are local: `2026-11-30T12:00`. */
export interface Conditions {
  user: string;
  /** account/Region. */
  target: string;
  enrolment: string;
  since: string;
  until: string;
}

export const ANY: Conditions = { user: "", target: "", enrolment: "", since: "", until: "" };

const FIELDS = ["user", "target", "enrolment", "since", "until"] as const;

/** Return the conditions of an address's search. */
export function conditionsOf(search: string): Conditions {
  const found = new URLSearchParams(search);
  const conditions = { ...ANY };
  for (const field of FIELDS) conditions[field] = found.get(field) ?? "";
  return conditions;
}

/** Return the address of the page with these conditions: `/activity?user=ada`. */
export function activityAddress(conditions: Conditions): string {
  const search = new URLSearchParams();
  for (const field of FIELDS) {
    const value = conditions[field].trim();
    if (value) search.set(field, value);
  }
  return search.size ? `/activity?${search}` : "/activity";
}

/** Return the API's filter; null without conditions. */
export function filterOf({ user, target, enrolment, since, until }: Conditions): ActivityFilter | null {
  const [account, region] = target.split("/");
  const filter = {
    ...(user ? { user } : {}),
    ...(account && region ? { target: { account, region } } : {}),
    ...(enrolment ? { enrolment } : {}),
    ...(since ? { since: instantOf(since) } : {}),
    ...(until ? { until: instantOf(until) } : {}),
  };
  return Object.keys(filter).length ? filter : null;
}

/** Return a local time as ISO 8601 UTC, or the text unchanged if it is not a time. */
function instantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}
