/**
 * One page of devices. Where the API sifts, an answer may be short and still have a next one: then it is asked for the
 * rest, a few times, so that nobody has to press through empty pages, and nobody's API looks through all devices.
 */
export interface Part<Row> {
  nodes: readonly Row[];
  /** Where the next one begins; null: there is none. */
  next: string | null;
}

export interface Gathered<Row> extends Part<Row> {
  /** Whether it is short though there may be more: it was looked for long enough. */
  cut: boolean;
}

export const MAX_ASKED = 5;

/** `ask` gives at most `first` rows from `after` on. What it throws goes through. */
export async function gather<Row>(
  ask: (first: number, after: string | null) => Promise<Part<Row>>,
  size: number,
  after: string | null,
): Promise<Gathered<Row>> {
  const nodes: Row[] = [];
  let next = after;
  for (let asked = 0; asked < MAX_ASKED; asked++) {
    const part = await ask(size - nodes.length, next);
    nodes.push(...part.nodes);
    next = part.next;
    if (next === null || nodes.length >= size) return { nodes, next, cut: false };
  }
  return { nodes, next, cut: true };
}
