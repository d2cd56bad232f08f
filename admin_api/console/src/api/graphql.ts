/** `graphql`: checks documents against `schema.graphql` and derives their result types. */
import { initGraphQLTada } from "gql.tada";
import type { introspection } from "./graphql-env";

export const graphql = initGraphQLTada<{ introspection: introspection; scalars: { JSON: unknown } }>();
export type { FragmentOf, ResultOf, VariablesOf } from "gql.tada";
export { readFragment } from "gql.tada";
