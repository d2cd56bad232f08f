/** A device in a list. */
import { graphql, type ResultOf } from "../../api/graphql";

export const DEVICES = graphql(`
  query Devices(
    $filter: DeviceFilter
    $first: Int!
    $after: String
    $order: DeviceOrder! = NEWEST_FIRST
    $counted: Boolean! = false
    $hellos: Boolean! = false
    $renewals: Boolean! = false
  ) {
    devices(filter: $filter, first: $first, after: $after, order: $order) {
      nodes {
        certid devicename expectedName devstate enteredAt reason targetaccount targetregion profile generation
        claimedBy claimedAt firstSeen lobbyRegion online onlineSince
        lastSeen @include(if: $hellos)
        renewal @include(if: $renewals) { stage by overdue }
      }
      pageInfo { hasNextPage endCursor }
      total @include(if: $counted)
    }
  }
`);

/** What is in no index, and costs a read of each device. */
export interface Extras {
  /** The time of the last hello. */
  hellos?: boolean;
  /** The renewal of the certificate. */
  renewals?: boolean;
}

export type DeviceLine = ResultOf<typeof DEVICES>["devices"]["nodes"][number];
