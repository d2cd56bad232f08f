/**
 * Hands one claim to the API and says what became of it. A lost request, and one that met no session, is to be sent
 * again. ALREADY_CLAIMED by the same person for the same target is what was wanted; otherwise it is said who has it.
 */
import type { Client, CombinedError } from "@urql/core";
import { failureOf, isLostNetwork } from "../../../api/failures";
import { graphql } from "../../../api/graphql";
import { keyOf } from "../../../parts/target_names";
import type { Entry, Holder, Outcome } from "./entry";

const CLAIM = graphql(`
  mutation ClaimLabel($certid: ID!, $target: TargetInput!, $profile: String) {
    claimDevice(certid: $certid, target: $target, profile: $profile) { certid }
  }
`);

const HOLDER = graphql(`
  query Holder($certid: ID!) {
    device(certid: $certid) { certid targetaccount targetregion profile claimedBy claimedAt }
  }
`);

const NO_SESSION = ["UNAUTHENTICATED", "HTTP_401"];

export function deliverBy(client: Client): (entry: Entry) => Promise<Outcome> {
  return async (entry) => {
    const { certid, target, profile } = entry;
    const { error } = await client.mutation(CLAIM, { certid, target, profile }).toPromise();
    if (!error) return { is: "sent" };
    const { code } = failureOf(error);
    if (code === "ALREADY_CLAIMED") return heldAlready(client, entry, error);
    return refusedOrLater(error);
  };
}

function refusedOrLater(error: CombinedError): Outcome {
  const failure = failureOf(error);
  const later = isLostNetwork(error) || NO_SESSION.includes(failure.code);
  return later ? { is: "later", hindrance: failure } : { is: "refused", refusal: { failure } };
}

async function heldAlready(client: Client, entry: Entry, refusal: CombinedError): Promise<Outcome> {
  const { data, error } = await client
    .query(HOLDER, { certid: entry.certid }, { requestPolicy: "network-only" })
    .toPromise();
  if (error) return refusedOrLater(error);
  const device = data?.device;
  const target =
    device?.targetaccount && device.targetregion
      ? { account: device.targetaccount, region: device.targetregion }
      : null;
  const holder: Holder = { by: device?.claimedBy ?? null, at: device?.claimedAt ?? null, target };
  const asWished = entry.profile === null || entry.profile === device?.profile;
  if (holder.by === `user:${entry.by}` && target && keyOf(target) === keyOf(entry.target) && asWished)
    return { is: "sent" };
  return { is: "refused", refusal: { failure: failureOf(refusal), holder } };
}
