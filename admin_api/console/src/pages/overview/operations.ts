/** The queries of the overview: counts, and devices that stay too long in a transitional state. */
import { graphql, type ResultOf } from "../../api/graphql";

export const OVERVIEW = graphql(`
  query Overview {
    overview {
      total
      states { state count }
      targets { account region count states { state count } }
      reasons { state reason count }
      renewals { at due overdue unable expiringCertificates }
    }
  }
`);

/**
 * `before`: ISO 8601, UTC. The first 20 of each state. A claim that waits for a code which the device cannot
 * show needs a user, so it counts from the start.
 */
export const STUCK = graphql(`
  query Stuck($before: String!) {
    unshown: devices(filter: { state: "proving", reason: "CODE_NOT_SHOWN" }, first: 20) { ...StuckPage }
    proving: devices(filter: { state: "proving", enteredBefore: $before }, first: 20) { ...StuckPage }
    claimed: devices(filter: { state: "claimed", enteredBefore: $before }, first: 20) { ...StuckPage }
    commissioned: devices(filter: { state: "commissioned", enteredBefore: $before }, first: 20) { ...StuckPage }
  }
  fragment StuckPage on DevicePage @_unmask {
    nodes { certid devicename devstate enteredAt targetaccount targetregion reason waitsFor allowedActions }
    pageInfo { hasNextPage }
  }
`);

export const RETRY_STUCK = graphql(`
  mutation RetryStuck($certid: ID!) { retryDevice(certid: $certid) { certid devstate enteredAt } }
`);

export type Counts = ResultOf<typeof OVERVIEW>["overview"];
export type StuckDevice = ResultOf<typeof STUCK>["claimed"]["nodes"][number];
