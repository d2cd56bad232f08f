/** "1–20 of 4,812": the position of a page in its list, and the total if it is known. Pure. */
import type { Counts } from "../../parts/counts";
import { formatNumber, pluralize } from "../../parts/numbers";
import type { ListQuery } from "./list_query";

/** `start`: the number of devices on the pages before; undefined: unknown, as after a reload. */
export function positionText(
  count: number,
  start: number | undefined,
  last: boolean,
  total: number | undefined,
): string {
  if (start === undefined || count === 0) return pluralize(count, "device");
  const end = start + count;
  const range = `${formatNumber(start + 1)}–${formatNumber(end)}`;
  const known = last ? end : total;
  // Counts can be older than the page.
  return known === undefined || known < end ? range : `${range} of ${formatNumber(known)}`;
}

/**
 * Whether to request the total from the API: only for the devices of a target, because the overview does not
 * have their counts. Each response costs the API a read of all counts. It does not count names and
 * fingerprints.
 */
export function isCountedByList({ target, name, print }: ListQuery): boolean {
  return target !== null && name === null && print === null;
}

/** The number of devices of a query, from the counts that the overview has; undefined if it has none. */
export function totalOf(query: ListQuery, counts: Counts): number | undefined {
  const { state, target, reason, name, print } = query;
  if (target !== null || name !== null || print !== null) return undefined;
  if (state === null) return reason === null ? counts.total : undefined;
  if (reason === null) return counts.of(state);
  return counts.reasons(state).find((each) => each.reason === reason)?.count;
}
