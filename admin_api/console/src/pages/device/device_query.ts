/** The query for the content of a device's page. */
import { graphql, type ResultOf } from "../../api/graphql";

export const DEVICE = graphql(`
  query DeviceDetails($certid: ID!, $last: Int!) {
    device(certid: $certid) {
      certid devicename expectedName devstate enteredAt reason message expectedAt waitsFor
      targetaccount targetregion profile config endpoint generation claimedBy claimedAt
      previousTargets { account region }
      firstSeen lastSeen clientVersion lobbyRegion labelCode allowedActions showsCode triesLeft online onlineSince
      connectionProblems { code message place count lastAt }
      suspicion { at message dismissedAt }
      transfer { step offer partner expires expired endpoint until ended }
      renewal { stage by overdue unable }
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

export const EXPORT_HISTORY = graphql(`
  query ExportHistory($certid: ID!) {
    exportHistory(certid: $certid) { fileName content key }
  }
`);

export type HistoryCheck = NonNullable<ResultOf<typeof VERIFIED>["verifyHistory"]>;
export type DeviceRecord = NonNullable<ResultOf<typeof DEVICE>["device"]>;
export type Entry = NonNullable<DeviceRecord["history"]>[number];
export type Certificate = NonNullable<DeviceRecord["certificate"]>;

/** States that the system or a technician at the device will soon change. */
const TRANSIENT: ReadonlySet<string> = new Set(["knocking", "proving", "claimed", "commissioned"]);

export function isTransient({ devstate, previousTargets }: DeviceRecord): boolean {
  return TRANSIENT.has(devstate ?? "") || previousTargets.length > 0;
}
