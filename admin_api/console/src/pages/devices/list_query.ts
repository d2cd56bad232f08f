/**
 * The query of the device list, encoded in the address:
 * `?state=failed&target=123456789012/eu-west-1&reason=…&name=…` or `&print=…` or `&renewal=due`, with order, page
 * size and cursor.
 * Invalid values are ignored.
 */
import { STATES } from "../../parts/state_badge";
import type { Kind } from "./search_text";

export const SIZES = [20, 50, 100] as const;
const DEFAULT_SIZE = 20;

export interface ListQuery {
  state: string | null;
  /** `account/region`. */
  target: string | null;
  reason: string | null;
  name: string | null;
  print: string | null;
  /** Those that are to renew their certificates: `due` or `overdue`. */
  renewal: string | null;
  /** Devices that are longest in their state come first. Has no effect on a search. */
  oldest: boolean;
  size: number;
  /** The cursor of the page; null: the first page. */
  after: string | null;
}

export const ALL_DEVICES: ListQuery = {
  state: null,
  target: null,
  reason: null,
  name: null,
  print: null,
  renewal: null,
  oldest: false,
  size: DEFAULT_SIZE,
  after: null,
};

export function parseListQuery(search: string): ListQuery {
  const given = new URLSearchParams(search);
  const state = given.get("state");
  const size = Number(given.get("size"));
  return {
    state: state !== null && Object.hasOwn(STATES, state) ? state : null,
    target: matching(given.get("target"), /^\d{12}\/[a-z0-9-]+$/),
    reason: matching(given.get("reason"), /^[A-Z][A-Z0-9_]{0,63}$/),
    name: matching(given.get("name"), /^[a-zA-Z0-9:_-]{2,128}$/),
    print: matching(given.get("print"), /^[0-9a-f]{4,64}$/),
    renewal: matching(given.get("renewal"), /^(due|overdue)$/),
    oldest: given.get("order") === "oldest",
    size: SIZES.find((known) => known === size) ?? DEFAULT_SIZE,
    after: given.get("after") || null,
  };
}

/** The address of a query, without default values. */
export function listAddress(query: ListQuery): string {
  const search = new URLSearchParams();
  for (const key of ["state", "target", "reason", "name", "print", "renewal"] as const) {
    const value = query[key];
    if (value !== null) search.set(key, value);
  }
  if (query.oldest) search.set("order", "oldest");
  if (query.size !== DEFAULT_SIZE) search.set("size", String(query.size));
  if (query.after !== null) search.set("after", query.after);
  return search.size > 0 ? `/devices?${search}` : "/devices";
}

/**
 * A changed query starts at its first page. The reason belongs to the state and is cleared when the state
 * changes.
 */
export function changeQuery(query: ListQuery, change: Partial<ListQuery>): ListQuery {
  const next = { ...query, after: null, ...change };
  const stays = change.state === undefined || change.state === query.state || change.reason !== undefined;
  return stays ? next : { ...next, reason: null };
}

/** Search by the start of a name or of a fingerprint. */
export function withSearch(query: ListQuery, kind: Kind | null, text: string): ListQuery {
  return changeQuery(query, { name: kind === "name" ? text : null, print: kind === "print" ? text : null });
}

/** The `filter` argument of `devices`; null for all devices. */
export function filterOf({ state, target, reason, name, print, renewal }: ListQuery) {
  const [account, region] = target?.split("/") ?? [];
  const filter = {
    ...(state === null ? {} : { state }),
    ...(account && region ? { target: { account, region } } : {}),
    ...(reason === null ? {} : { reason }),
    ...(name === null ? {} : { namePrefix: name }),
    ...(print === null ? {} : { fingerprintPrefix: print }),
    ...(renewal === null ? {} : { renewal: renewal === "due" ? ("DUE" as const) : ("OVERDUE" as const) }),
  };
  return Object.keys(filter).length > 0 ? filter : null;
}

/** The order in which the API returns devices. */
export function orderOf({ name, print, renewal, oldest }: ListQuery): string {
  if (print !== null) return "By fingerprint";
  if (name !== null) return "By name";
  if (renewal !== null) return "By deadline";
  return oldest ? "Oldest first" : "Newest first";
}

/** Whether the API can return the devices in either order of time: not by name, fingerprint or deadline. */
export function isByTime({ name, print, renewal }: ListQuery): boolean {
  return name === null && print === null && renewal === null;
}

function matching(text: string | null, form: RegExp): string | null {
  return text !== null && form.test(text) ? text : null;
}
