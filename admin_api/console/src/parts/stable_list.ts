/**
 * Keeps a list in place while the user works in it: shown rows are updated, removed rows are marked, and new
 * rows are counted until the user asks for them.
 */
export interface StableList<Row> {
  rows: readonly Row[];
  /** Shown, but no longer in the list. */
  gone: ReadonlySet<string>;
  /** In the list, but not shown yet. */
  fresh: readonly Row[];
}

/** `shown`: the rows on the screen. `now`: the current rows. */
export function stableList<Row extends { certid: string }>(
  shown: readonly Row[],
  now: readonly Row[],
): StableList<Row> {
  const present = new Map(now.map((row) => [row.certid, row]));
  const known = new Set(shown.map((row) => row.certid));
  return {
    rows: shown.map((row) => present.get(row.certid) ?? row),
    gone: new Set(shown.filter((row) => !present.has(row.certid)).map((row) => row.certid)),
    fresh: now.filter((row) => !known.has(row.certid)),
  };
}

/** The current list, with all changes shown. */
export function free<Row>(now: readonly Row[]): StableList<Row> {
  return { rows: now, gone: new Set(), fresh: [] };
}
