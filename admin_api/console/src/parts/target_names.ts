/**
 * The targets that the user may see, and their keys. Contains no components, because the claim page must load
 * fast.
 */
import { useState } from "react";
import { graphql, type ResultOf } from "../api/graphql";
import { useLiveQuery } from "../api/live";

export const TARGETS = graphql(`
  query Targets { targets { account region name profiles presence } }
`);

export type TargetEntry = ResultOf<typeof TARGETS>["targets"][number];

export interface TargetName {
  account: string;
  region: string;
}

/** A longer list of targets is searchable. */
export const MANY_TARGETS = 8;

/** `123456789012/eu-west-1`: a target as one string. */
export function keyOf(target: TargetName): string {
  return `${target.account}/${target.region}`;
}

/** After a failed first request. */
const RETRY_MS = 5_000;

/** An empty list names no type, so the type is declared here for cache invalidation. */
const OF_TARGETS = { additionalTypenames: ["RegisteredTarget"] };

export function useTargets() {
  const [known, setKnown] = useState(false);
  const [answer, again] = useLiveQuery(
    { query: TARGETS, context: OF_TARGETS, requestPolicy: "cache-first" },
    known ? null : RETRY_MS,
  );
  if (answer.data && !known) setKnown(true);
  return { targets: answer.data?.targets, error: answer.error, fetching: answer.fetching, again };
}
