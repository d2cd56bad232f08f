/**
 * Compares a device's history with the anchors outside the ledger. Requested once per visit, because it lists
 * objects. The hash chain is checked with every load of the device.
 */
import { useQuery } from "urql";
import { type HistoryCheck, VERIFIED } from "./device_query";

/** Null: not loaded, or the device was never registered. */
export function useHistoryCheck(certid: string): HistoryCheck | null {
  const [{ data }] = useQuery({ query: VERIFIED, variables: { certid }, requestPolicy: "network-only" });
  return data?.verifyHistory ?? null;
}
