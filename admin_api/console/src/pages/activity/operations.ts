/** The queries of the activity page. */
import { graphql, type ResultOf, type VariablesOf } from "../../api/graphql";

export const ACTIVITY = graphql(`
  query ActivityLog($filter: ActivityFilter, $first: Int!, $after: String) {
    activity(filter: $filter, first: $first, after: $after) {
      nodes { at actor event certid user seq devicename before after target left enrolment reason }
      next
    }
  }
`);

export const ENROLMENT_NAMES = graphql(`
  query EnrolmentNames { enrolments { name } }
`);

export type Activity = ResultOf<typeof ACTIVITY>["activity"]["nodes"][number];
export type ActivityFilter = NonNullable<VariablesOf<typeof ACTIVITY>["filter"]>;
