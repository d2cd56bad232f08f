/**
 * The targets that the user may see, and their keys. Contains no components, because the claim page must load
 * fast.
 */
import { useQuery } from "urql";
import { graphql, type ResultOf } from "../api/graphql";

export const TARGETS = graphql(`
  query Targets { targets { account region name profiles presence } }
`);

export type TargetEntry = ResultOf<typeof TARGETS>["targets"][number];

export interface TargetName {
  account: string;
  region: string;
}

/** `123456789012/eu-west-1`: a target as one string. */
export function keyOf(target: TargetName): string {
  return `${target.account}/${target.region}`;
}

/** An empty list names no type, so the type is declared here for cache invalidation. */
const OF_TARGETS = { additionalTypenames: ["RegisteredTarget"] };

export function useTargets() {
  const [answer, again] = useQuery({ query: TARGETS, context: OF_TARGETS });
  return { targets: answer.data?.targets, error: answer.error, fetching: answer.fetching, again };
}
