/**
 * A list that does not move under somebody's finger: what is shown stays in its place and is kept up to date, what has
 * left is marked, what is new is counted until it is asked for.
 */
export interface Steady<Row> {
  rows: readonly Row[];
  /** Shown, but no longer in the list. */
  gone: ReadonlySet<string>;
  /** In the list, but not shown yet. */
  fresh: readonly Row[];
}

/** `shown`: the rows as somebody last saw them. `now`: the rows as they are. */
export function steady<Row extends { certid: string }>(
  shown: readonly Row[],
  now: readonly Row[],
): Steady<Row> {
  const present = new Map(now.map((row) => [row.certid, row]));
  const known = new Set(shown.map((row) => row.certid));
  return {
    rows: shown.map((row) => present.get(row.certid) ?? row),
    gone: new Set(shown.filter((row) => !present.has(row.certid)).map((row) => row.certid)),
    fresh: now.filter((row) => !known.has(row.certid)),
  };
}

/** The list as it is, with nothing held back. */
export function free<Row>(now: readonly Row[]): Steady<Row> {
  return { rows: now, gone: new Set(), fresh: [] };
}
