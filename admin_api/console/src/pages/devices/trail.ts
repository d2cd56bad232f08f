/**
 * Which page came before which: the API's cursors lead on only. Kept while the console is open, so that one comes back
 * from a device's page and can still go back; after a reload, or with an address from somebody else, there is only the
 * first page.
 */
const MAX_KEPT = 1_000;
const before = new Map<string, string | null>();

/** From the page that begins at `from` one went on to the one that begins at `to`. */
export function wentOn(from: string | null, to: string): void {
  before.set(to, from);
  const [oldest] = before.keys();
  if (before.size > MAX_KEPT && oldest !== undefined) before.delete(oldest);
}

/** Where the page before begins (null: it is the first); undefined: nobody knows. */
export function pageBefore(after: string): string | null | undefined {
  return before.get(after);
}

let list = "/devices";

/** The list that somebody looked at last, to come back to from a device's page. */
export function lookedAt(address: string): void {
  list = address;
}

export function lastList(): string {
  return list;
}
