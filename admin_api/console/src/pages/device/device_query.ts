/** Everything that the page of one device shows, in one question. */
import { graphql, type ResultOf } from "../../api/graphql";

export const DEVICE = graphql(`
  query DeviceWhole($certid: ID!, $last: Int!) {
    device(certid: $certid) {
      certid devicename devstate enteredAt reason message
      targetaccount targetregion profile config endpoint generation claimedBy claimedAt
      previousTargets { account region }
      firstSeen lastSeen clientVersion lobbyRegion labelCode allowedActions showsCode triesLeft
      certificate { subject issuer serialNumber notBefore notAfter key signature }
      history(last: $last) { seq at actor event before after generation reason target }
      historyIntact
    }
  }
`);

export const VERIFIED = graphql(`
  query HistoryVerified($certid: ID!) {
    verifyHistory(certid: $certid) { ok entries anchored pending seq message }
  }
`);

export type Verdict = NonNullable<ResultOf<typeof VERIFIED>["verifyHistory"]>;
export type WholeDevice = NonNullable<ResultOf<typeof DEVICE>["device"]>;
export type Entry = NonNullable<WholeDevice["history"]>[number];
export type Certificate = NonNullable<WholeDevice["certificate"]>;

/** States that something is about to lead out of: by itself, or by somebody who stands at the device. */
const PASSING: ReadonlySet<string> = new Set(["knocking", "proving", "claimed", "commissioned"]);

export function isPassing({ devstate, previousTargets }: WholeDevice): boolean {
  return PASSING.has(devstate ?? "") || previousTargets.length > 0;
}
