/**
 * Remembers which page came before which, because the API's cursors only lead forwards. Kept in memory: after
 * a reload or with a shared address, only the first page is known.
 */
const MAX_KEPT = 1_000;
const before = new Map<string, string | null>();

/** Record that the page at `to` follows the page at `from`. */
export function recordNextPage(from: string | null, to: string): void {
  before.set(to, from);
  const [oldest] = before.keys();
  if (before.size > MAX_KEPT && oldest !== undefined) before.delete(oldest);
}

/** The cursor of the previous page (null: the first page); undefined: unknown. */
export function pageBefore(after: string): string | null | undefined {
  return before.get(after);
}

let list = "/devices";

/** The last visited list, for the link back from a device's page. */
export function rememberList(address: string): void {
  list = address;
}

export function lastList(): string {
  return list;
}
