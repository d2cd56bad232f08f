/**
 * Fills one page of devices. When the API filters, a response can be short although there is more; then a few
 * more requests follow, so that the user does not page through empty pages. The limit protects the API from
 * scanning every device.
 */
export interface Part<Row> {
  nodes: readonly Row[];
  /** The cursor of the next part; null: none. */
  next: string | null;
  /** The number of rows on all pages; undefined: unknown. */
  total?: number | undefined;
}

export interface FilledPage<Row> extends Part<Row> {
  /** Whether the page is short because the request limit was reached. */
  cut: boolean;
}

export const MAX_ASKED = 5;

/** `ask` returns at most `first` rows starting at `after`. Its errors propagate. */
export async function fillPage<Row>(
  ask: (first: number, after: string | null) => Promise<Part<Row>>,
  size: number,
  after: string | null,
): Promise<FilledPage<Row>> {
  const nodes: Row[] = [];
  let next = after;
  let total: number | undefined;
  for (let requests = 0; requests < MAX_ASKED; requests++) {
    const part = await ask(size - nodes.length, next);
    nodes.push(...part.nodes);
    next = part.next;
    total = part.total;
    if (next === null || nodes.length >= size) return { nodes, next, total, cut: false };
  }
  return { nodes, next, total, cut: true };
}
