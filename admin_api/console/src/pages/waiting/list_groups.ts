/** The requests of a claim list: rows with the same target, profile and config are sent together. Pure. */
import type { ClaimList, ListRow } from "../../list_file/claim_list";
import type { ClaimVariables } from "../../parts/claim_request";

export interface Group {
  certids: readonly string[];
  request: ClaimVariables;
  /** The expected name of each device that has one in the list. */
  names?: ReadonlyMap<string, string>;
}

/** `only`: the fingerprints to send; absent: all. */
export function groupsOf({ rows }: ClaimList, only?: readonly string[]): Group[] {
  const wanted = only && new Set(only);
  const groups = new Map<string, ListRow[]>();
  for (const row of rows) {
    if (wanted && !wanted.has(row.certid)) continue;
    const key = JSON.stringify(row.request);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first
      ? [{ certids: group.map(({ certid }) => certid), request: first.request, names: namesIn(group) }]
      : [];
  });
}

function namesIn(rows: readonly ListRow[]): ReadonlyMap<string, string> {
  return new Map(
    rows.flatMap(({ certid, expectedName }) =>
      expectedName === null ? [] : [[certid, expectedName] as const],
    ),
  );
}
