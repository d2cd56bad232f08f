/**
 * Sends one claim to the API and returns its outcome. A lost request, a request without a session and, for
 * some attempts, an internal error are sent again later. ALREADY_CLAIMED by the same user for the same target
 * counts as sent; otherwise the outcome names the holder. Before a second attempt the history is checked, so
 * that a claim that was made and then released is not repeated.
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

const MADE = graphql(`
  query ClaimMade($certid: ID!) {
    device(certid: $certid) { certid history(last: 50) { at actor event target } }
  }
`);

/** The assumed difference between the phone's clock and the lobby's. */
const CLOCK_SLACK_MS = 10 * 60_000;
/** A longer fault needs a user's attention. */
const TRIES_AT_A_FAULT = 5;
const NO_SESSION = ["UNAUTHENTICATED", "HTTP_401"];

export function deliverBy(client: Client): (entry: Entry) => Promise<Outcome> {
  return async (entry) => {
    const { certid, target, profile } = entry;
    if (entry.tries > 0) {
      const { data, error } = await client
        .query(MADE, { certid }, { requestPolicy: "network-only" })
        .toPromise();
      if (error) return refusedOrLater(error, entry);
      if (data?.device?.history?.some((moment) => isThis(moment, entry))) return { is: "sent" };
    }
    const { error } = await client.mutation(CLAIM, { certid, target, profile }).toPromise();
    if (!error) return { is: "sent" };
    const { code } = failureOf(error);
    if (code === "ALREADY_CLAIMED") return heldAlready(client, entry, error);
    return refusedOrLater(error, entry);
  };
}

function isThis(
  moment: { at: string; actor: string; event: string; target: string | null },
  entry: Entry,
): boolean {
  const { by, target, madeAt } = entry;
  const mine = moment.event === "claim" && moment.actor === `user:${by}` && moment.target === keyOf(target);
  return mine && Date.parse(moment.at) > Date.parse(madeAt) - CLOCK_SLACK_MS;
}

function refusedOrLater(error: CombinedError, { tries }: Entry): Outcome {
  const failure = failureOf(error);
  const mayPass = failure.code === "INTERNAL" && tries < TRIES_AT_A_FAULT;
  const later = mayPass || isLostNetwork(error) || NO_SESSION.includes(failure.code);
  return later ? { is: "later", hindrance: failure } : { is: "refused", refusal: { failure } };
}

async function heldAlready(client: Client, entry: Entry, refusal: CombinedError): Promise<Outcome> {
  const { data, error } = await client
    .query(HOLDER, { certid: entry.certid }, { requestPolicy: "network-only" })
    .toPromise();
  if (error) return refusedOrLater(error, entry);
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
