/** Device counts, kept up to date while visible. Pages work without them. */

import { graphql } from "../api/graphql";
import { useLiveQuery } from "../api/live";

export const COUNTS = graphql(`
  query Counts {
    overview {
      total
      states { state count }
      reasons { state reason count }
    }
  }
`);

const EVERY_MS = 10_000;

export interface Counts {
  total: number | undefined;
  /** Undefined until loaded. */
  of: (state: string) => number | undefined;
  /** The reasons of failed or refused devices, most frequent first. */
  reasons: (state: string) => readonly { reason: string; count: number }[];
}

export function useCounts(): Counts {
  const [{ data }] = useLiveQuery({ query: COUNTS }, EVERY_MS);
  const overview = data?.overview;
  return {
    total: overview?.total,
    of: (state) => overview?.states.find((each) => each.state === state)?.count,
    reasons: (state) => overview?.reasons.filter((each) => each.state === state) ?? [],
  };
}
