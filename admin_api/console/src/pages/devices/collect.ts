/** Collects all devices of a query page by page, up to a limit that a browser can handle. */
import type { Part } from "./fill_page";

export const MAX_COLLECTED = 10_000;
/** Filtered pages may be empty, so the number of requests is limited. */
export const MAX_PAGES = 400;
const PAGE = 100;

export interface Collected<Row> {
  rows: readonly Row[];
  /** Whether there may be more. */
  cut: boolean;
}

/** `onCount` receives the number so far and returns whether to continue. Errors of `ask` propagate. */
export async function collect<Row>(
  ask: (first: number, after: string | null) => Promise<Part<Row>>,
  onCount: (count: number) => boolean,
): Promise<Collected<Row>> {
  const rows: Row[] = [];
  let next: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const part: Part<Row> = await ask(PAGE, next);
    rows.push(...part.nodes);
    next = part.next;
    if (next === null) return { rows: rows.slice(0, MAX_COLLECTED), cut: rows.length > MAX_COLLECTED };
    if (rows.length >= MAX_COLLECTED || !onCount(rows.length)) break;
  }
  return { rows: rows.slice(0, MAX_COLLECTED), cut: true };
}
