/** All devices that a question has, page by page, within bounds: a browser is no place for a million of them. */
import type { Part } from "./gather";

export const MAX_COLLECTED = 10_000;
/** Where the API sifts, a page may be empty: it is not asked for ever. */
export const MAX_PAGES = 400;
const PAGE = 100;

export interface Collected<Row> {
  rows: readonly Row[];
  /** Whether there may be more. */
  cut: boolean;
}

/** `onCount` hears how many there are so far; it says whether to go on. What `ask` throws goes through. */
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
