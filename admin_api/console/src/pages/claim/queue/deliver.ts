/**
 * Sends one claim to the API and returns its outcome. A lost request, a request without a session and, for
 * some attempts, an internal error are sent again later. ALREADY_CLAIMED by the same user for the same target
 * counts as sent; otherwise the outcome names the holder. Before a second attempt the history is checked, so
 * that a claim that was made and then released is not repeated.
 */
import type { Client, CombinedError } from "@urql/core";
import { failureOf, isLostNetwork, UNAUTHENTICATED } from "../../../api/failures";
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

const PAST_CLAIMS = graphql(`
  query ClaimMade($certid: ID!) {
    device(certid: $certid) { certid history(last: 50) { at actor event target } }
  }
`);

/** The assumed difference between the phone's clock and the lobby's. */
const CLOCK_SLACK_MS = 10 * 60_000;
/** A longer fault needs a user's attention. */
const MAX_ATTEMPTS = 5;

export function deliverBy(client: Client): (entry: Entry) => Promise<Outcome> {
  return async (entry) => {
    const { certid, target, profile } = entry;
    if (entry.tries > 0) {
      const { data, error } = await client
        .query(PAST_CLAIMS, { certid }, { requestPolicy: "network-only" })
        .toPromise();
      if (error) return outcomeOf(error, entry);
      if (data?.device?.history?.some((past) => isSameClaim(past, entry))) return { is: "sent" };
    }
    const { error } = await client.mutation(CLAIM, { certid, target, profile }).toPromise();
    if (!error) return { is: "sent" };
    const { code } = failureOf(error);
    if (code === "ALREADY_CLAIMED") return alreadyClaimed(client, entry, error);
    return outcomeOf(error, entry);
  };
}

function isSameClaim(
  past: { at: string; actor: string; event: string; target: string | null },
  entry: Entry,
): boolean {
  const { by, target, madeAt } = entry;
  const mine = past.event === "claim" && past.actor === `user:${by}` && past.target === keyOf(target);
  return mine && Date.parse(past.at) > Date.parse(madeAt) - CLOCK_SLACK_MS;
}

function outcomeOf(error: CombinedError, { tries }: Entry): Outcome {
  const failure = failureOf(error);
  const temporary = failure.code === "INTERNAL" && tries < MAX_ATTEMPTS;
  const later = temporary || isLostNetwork(error) || failure.code === UNAUTHENTICATED;
  return later ? { is: "later", lastFailure: failure } : { is: "refused", refusal: { failure } };
}

async function alreadyClaimed(client: Client, entry: Entry, refusal: CombinedError): Promise<Outcome> {
  const { data, error } = await client
    .query(HOLDER, { certid: entry.certid }, { requestPolicy: "network-only" })
    .toPromise();
  if (error) return outcomeOf(error, entry);
  const device = data?.device;
  const target =
    device?.targetaccount && device.targetregion
      ? { account: device.targetaccount, region: device.targetregion }
      : null;
  const holder: Holder = { by: device?.claimedBy ?? null, at: device?.claimedAt ?? null, target };
  const sameProfile = entry.profile === null || entry.profile === device?.profile;
  if (holder.by === `user:${entry.by}` && target && keyOf(target) === keyOf(entry.target) && sameProfile)
    return { is: "sent" };
  return { is: "refused", refusal: { failure: failureOf(refusal), holder } };
}
