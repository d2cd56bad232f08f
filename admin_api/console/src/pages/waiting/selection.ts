/** The selection: by click, by shift-click and select all, up to the limit of one bulk claim. */
export const MAX_SELECTED = 1000;

export interface Selection {
  chosen: ReadonlySet<string>;
  /** The start of a range: the last clicked device. */
  anchor: string | null;
}

export const NONE: Selection = { chosen: new Set(), anchor: null };

/**
 * Toggle `certid`; with `range`, set everything from the anchor to it to the same value. `order`: display
 * order.
 */
export function clicked(
  selection: Selection,
  certid: string,
  order: readonly string[],
  range: boolean,
): Selection {
  const on = !selection.chosen.has(certid);
  const span = range ? between(order, selection.anchor, certid) : [certid];
  return { chosen: changed(selection.chosen, span, on), anchor: certid };
}

/** Select all of `order`, up to the limit. */
export function all(order: readonly string[]): Selection {
  return { chosen: changed(new Set(), order, true), anchor: null };
}

/** Keep only devices that can still be selected. */
export function among(selection: Selection, certids: ReadonlySet<string>): Selection {
  const left = [...selection.chosen].filter((certid) => certids.has(certid));
  return left.length === selection.chosen.size ? selection : { ...selection, chosen: new Set(left) };
}

function between(order: readonly string[], anchor: string | null, certid: string): readonly string[] {
  const [from, to] = [order.indexOf(anchor ?? ""), order.indexOf(certid)];
  return from < 0 || to < 0 ? [certid] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
}

function changed(chosen: ReadonlySet<string>, span: readonly string[], on: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  for (const certid of span) {
    if (!on) next.delete(certid);
    else if (next.size < MAX_SELECTED) next.add(certid);
  }
  return next;
}
