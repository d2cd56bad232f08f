/** Who is selected, as somebody clicks, drags the shift key along, or selects all: at most as many as one claim takes. */
export const MAX_SELECTED = 1000;

export interface Selection {
  chosen: ReadonlySet<string>;
  /** Where a range begins: the one that was last clicked. */
  anchor: string | null;
}

export const NONE: Selection = { chosen: new Set(), anchor: null };

/** `certid` on or off; with `range`, all from the anchor to it become as it becomes. `order`: as they are shown. */
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

/** All of `order`, as far as the limit allows. */
export function all(order: readonly string[]): Selection {
  return { chosen: changed(new Set(), order, true), anchor: null };
}

/** The selection among those who may still be selected. */
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
