/** The targets that the person may see, and how one is named. Without components: the claim page has its own. */
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

/** `123456789012/eu-west-1`: one target in one word. */
export function keyOf(target: TargetName): string {
  return `${target.account}/${target.region}`;
}

/** A list without entries names no type: said here, so that it is asked again when one is registered. */
const OF_TARGETS = { additionalTypenames: ["RegisteredTarget"] };

export function useTargets() {
  const [answer, again] = useQuery({ query: TARGETS, context: OF_TARGETS });
  return { targets: answer.data?.targets, error: answer.error, fetching: answer.fetching, again };
}
