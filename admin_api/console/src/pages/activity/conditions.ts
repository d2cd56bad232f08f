/**
 * The conditions of the activity log: in the address, in the form, and as the API's filter. An invalid
 * condition in the address is sent unchanged, so that the API returns the error. Only a target without Region
 * is omitted.
 */
import type { ActivityFilter } from "./operations";

/** What the form has; "" means any. Times are local: `2026-11-30T12:00`. */
export interface Conditions {
  /** "user", "campaign", "rule" or "service". */
  kind: string;
  /** Of the actor; of a user if the kind is any. */
  name: string;
  /** account/Region. */
  target: string;
  enrolment: string;
  since: string;
  until: string;
}

export const ANY: Conditions = { kind: "", name: "", target: "", enrolment: "", since: "", until: "" };

const KINDS = { user: "USER", campaign: "CAMPAIGN", rule: "RULE", service: "SERVICE" } as const;
const FIELDS = ["kind", "target", "enrolment", "since", "until"] as const;

/** Return the conditions of an address's search. */
export function conditionsOf(search: string): Conditions {
  const found = new URLSearchParams(search);
  const conditions = { ...ANY };
  for (const field of FIELDS) conditions[field] = found.get(field) ?? "";
  const [kind = "", ...name] = (found.get("actor") ?? "").split(":");
  if (kind) return { ...conditions, kind, name: name.join(":") };
  const user = found.get("user");
  return user ? { ...conditions, kind: "user", name: user } : conditions;
}

/** Return the address of the page with these conditions: `/activity?user=ada`. */
export function activityAddress(conditions: Conditions): string {
  const search = new URLSearchParams();
  const { kind, name } = { ...conditions, name: conditions.name.trim() };
  if (name)
    search.set(
      kind && kind !== "user" ? "actor" : "user",
      kind && kind !== "user" ? `${kind}:${name}` : name,
    );
  for (const field of FIELDS) {
    const value = field === "kind" && name ? "" : conditions[field].trim();
    if (value) search.set(field, value);
  }
  return search.size ? `/activity?${search}` : "/activity";
}

/** Return the API's filter; null without conditions. */
export function filterOf({ kind, name, target, enrolment, since, until }: Conditions): ActivityFilter | null {
  const [account, region] = target.split("/");
  const filter = {
    ...actorOf(kind, name),
    ...(account && region ? { target: { account, region } } : {}),
    ...(enrolment ? { enrolment } : {}),
    ...(since ? { since: instantOf(since) } : {}),
    ...(until ? { until: instantOf(until) } : {}),
  };
  return Object.keys(filter).length ? filter : null;
}

function actorOf(kind: string, name: string): ActivityFilter {
  if (kind === "" || kind === "user") {
    if (name) return { user: name };
    return kind ? { kind: KINDS.user } : {};
  }
  return name || !isKind(kind) ? { actor: `${kind}:${name}` } : { kind: KINDS[kind] };
}

function isKind(text: string): text is keyof typeof KINDS {
  return text in KINDS;
}

/** How many conditions there are. */
export function countOf({ kind, name, ...others }: Conditions): number {
  return Object.values(others).filter(Boolean).length + (kind || name ? 1 : 0);
}

/** Return a local time as ISO 8601 UTC, or the text unchanged if it is not a time. */
function instantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}
