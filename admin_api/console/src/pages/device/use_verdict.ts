/**
 * Whether a device's history is what it was, by what is anchored outside of the ledger: asked once when its page opens,
 * as it takes a listing. That the chain is whole comes with every look at the device.
 */
import { useQuery } from "urql";
import { VERIFIED, type Verdict } from "./device_query";

/** Null: nobody knows yet, or the device was never here. */
export function useVerdict(certid: string): Verdict | null {
  const [{ data }] = useQuery({ query: VERIFIED, variables: { certid }, requestPolicy: "network-only" });
  return data?.verifyHistory ?? null;
}
