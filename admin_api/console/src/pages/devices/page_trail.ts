/**
 * Remembers the previous page of each page and the number of devices before it, because the API's cursors
 * only lead forwards. Kept in memory: after a reload or with a shared address, only the first page is known.
 */
const MAX_KEPT = 1_000;

interface Place {
  before: string | null;
  /** Undefined: unknown. */
  start: number | undefined;
}

const places = new Map<string, Place>();

/** Record that the page at `to` follows the page at `from`, which has `count` devices. */
export function recordNextPage(from: string | null, to: string, count: number): void {
  const start = startOf(from);
  places.set(to, { before: from, start: start === undefined ? undefined : start + count });
  const [oldest] = places.keys();
  if (places.size > MAX_KEPT && oldest !== undefined) places.delete(oldest);
}

/** The cursor of the previous page (null: the first page); undefined: unknown. */
export function pageBefore(after: string): string | null | undefined {
  return places.get(after)?.before;
}

/** The number of devices on the pages before the one at `after`; undefined: unknown. */
export function startOf(after: string | null): number | undefined {
  return after === null ? 0 : places.get(after)?.start;
}

let list = "/devices";

/** The last visited list, for the link back from a device's page. */
export function rememberList(address: string): void {
  list = address;
}

export function lastList(): string {
  return list;
}
