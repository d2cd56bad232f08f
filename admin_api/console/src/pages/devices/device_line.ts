/** A device in a list. */
import { graphql, type ResultOf } from "../../api/graphql";

export const DEVICES = graphql(`
  query Devices($filter: DeviceFilter, $first: Int!, $after: String, $counted: Boolean! = false) {
    devices(filter: $filter, first: $first, after: $after) {
      nodes {
        certid devicename devstate enteredAt reason targetaccount targetregion profile generation
        claimedBy claimedAt firstSeen lobbyRegion online onlineSince
      }
      pageInfo { hasNextPage endCursor }
      total @include(if: $counted)
    }
  }
`);

export type DeviceLine = ResultOf<typeof DEVICES>["devices"]["nodes"][number];
