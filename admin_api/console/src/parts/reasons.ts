/**
 * The reason codes of failed and refused devices: meaning and remedy. A test compares them with the table in
 * docs/troubleshooting.md. A device's page also shows the lobby's message.
 */
import { CODE_NOT_SHOWN } from "./reason_codes";

export interface ReasonText {
  meaning: string;
  remedy: string;
}

const RETRY = "then retry";
const RENEW = "Renew and publish the CA's revocation list: lobby-pki renew-crl, lobby-pki publish-crl.";
const CHAIN = "Check that its CA is registered here (lobby-pki register), active and valid.";
const NAMED = "Its subject must have one CN that is a valid thing name: a-z A-Z 0-9 : _ -, at most 64.";
const NEW_CA =
  "The manufacturer has to correct the CA's certificate and register it: lobby-pki register names the fault.";
const NEW_CLAIM = "Give the device another claim certificate.";
const NEW_CERTIFICATE = "It needs a new certificate from its manufacturer.";

export const REASONS: Readonly<Record<string, ReasonText>> = {
  TARGET_ROLE_DENIED: {
    meaning: "The role in the target can't be assumed",
    remedy: `Run the target's setup command there, ${RETRY}. A redeployed lobby needs this in every target.`,
  },
  TARGET_PERMISSION_MISSING: {
    meaning: "The target's role lacks a permission",
    remedy: `Check the target to see which one, run its setup command again, ${RETRY}.`,
  },
  TARGET_POLICY_MISSING: {
    meaning: "The profile's policy is missing in the target",
    remedy: `Run the target's setup command, which deploys its profiles, ${RETRY}.`,
  },
  TARGET_PROFILE_INCOMPLETE: {
    meaning: "A thing type or group of the profile is missing in the target",
    remedy: `Check the target to see which one, run its setup command again, ${RETRY}.`,
  },
  UNKNOWN_TARGET: { meaning: "The target is not registered", remedy: `Register it, ${RETRY}.` },
  UNKNOWN_PROFILE: {
    meaning: "The target does not have the profile",
    remedy: `Add it to the target, ${RETRY}.`,
  },
  TARGET_NAME_TAKEN: {
    meaning: "Another certificate's thing has its name in the target",
    remedy: `Delete that thing there, or use another name, ${RETRY}.`,
  },
  TARGET_REFUSED_CERTIFICATE: {
    meaning: "AWS IoT in the target rejects the certificate",
    remedy: "See the message on the device's page.",
  },
  TARGET_REVOKED_CERTIFICATE: {
    meaning: "The target's owner has revoked the certificate there",
    remedy: "Only the owner can reverse that.",
  },
  TARGET_UNREACHABLE: {
    meaning: "AWS in the target did not respond for minutes",
    remedy: "Retry when it responds again.",
  },
  TARGET_SHADOWS_REFUSED: {
    meaning: "Its shadows can't be copied",
    remedy: `See the message. Correct them, ${RETRY}, or move it again and leave its shadows.`,
  },
  SHADOWS_NOT_MIGRATED: {
    meaning: "It was moved without its shadows, which are in its old target",
    remedy:
      "Retry when that target responds. Shadows that the device has not written itself are then copied.",
  },
  TARGET_LIMIT: { meaning: "A quota of the target account is exhausted", remedy: `Raise it, ${RETRY}.` },
  TARGET_REGION_DISABLED: {
    meaning: "The Region is not enabled in the target account",
    remedy: `Enable it there, ${RETRY}.`,
  },
  CODE_NOT_SHOWN: {
    meaning: "Its client can't show the code that its target requires",
    remedy: "Update its client, or release it and claim it for a target without presence codes.",
  },
  PRESENCE_FAILED: {
    meaning: "Its claim ended after five wrong codes",
    remedy: "Its history shows who entered them. It can be claimed again after ten minutes.",
  },
  ALLOCATION_FAILED: {
    meaning: "No target could be chosen, or its claim was refused",
    remedy: "Its message has the cause. Claim it.",
  },
  ENROLMENT_PAUSED: { meaning: "Its enrolment is paused", remedy: `Resume the enrolment, ${RETRY}.` },
  ENROLMENT_FULL: {
    meaning: "Its enrolment has admitted as many devices as it may",
    remedy: `Raise the enrolment's limit, ${RETRY}.`,
  },
  ENROLMENT_EXPIRED: { meaning: "Its enrolment has ended", remedy: `Extend the enrolment, ${RETRY}.` },
  ENROLMENT_NOT_STARTED: {
    meaning: "Its enrolment has not started yet",
    remedy: "Retry after the start of the enrolment.",
  },
  ENROLMENT_REVOKED: { meaning: "Its enrolment is revoked", remedy: "A revocation is final." },
  CRL_MISSING: { meaning: "Its CA has published no revocation list", remedy: RENEW },
  CRL_STALE: { meaning: "Its CA's revocation list is out of date", remedy: RENEW },
  CRL_INVALID: { meaning: "The revocation list is unreadable or not signed by its CA", remedy: RENEW },
  CRL_PARTIAL: {
    meaning: "Its CA's revocation list is not complete",
    remedy: "Publish a complete list: not a delta, and not one for CAs or some reasons only.",
  },
  CRL_SCOPE: {
    meaning: "No list covers its certificate's distribution point",
    remedy: "Also publish the list of this point. One file can contain several lists.",
  },
  REVOKED_BY_ISSUER: {
    meaning: "The manufacturer has revoked its certificate",
    remedy: "It can't be admitted. Ask the manufacturer for the reason.",
  },
  UNTRUSTED_CHAIN: { meaning: "Another CA issued its certificate", remedy: CHAIN },
  SIGNATURE_INVALID: { meaning: "The registered CA's key has not signed it", remedy: CHAIN },
  NAME_NOT_PERMITTED: {
    meaning: "Its CA's name constraints exclude its name",
    remedy: "Use a permitted name, or a CA without such constraints.",
  },
  CA_UNKNOWN: { meaning: "Its CA is not registered here", remedy: CHAIN },
  CA_INACTIVE: { meaning: "Its CA is not active here", remedy: CHAIN },
  CA_EXPIRED: { meaning: "Its CA's certificate is not valid now", remedy: CHAIN },
  CA_INVALID: { meaning: "Its CA's certificate can't be parsed", remedy: NEW_CA },
  CA_NOT_A_CA: { meaning: "The registered certificate is not a CA certificate", remedy: NEW_CA },
  CA_WRONG_PURPOSE: { meaning: "Its CA may not issue client certificates", remedy: NEW_CA },
  CA_WEAK_KEY: { meaning: "Its CA's key is too weak or unsupported", remedy: NEW_CA },
  CA_CRITICAL_EXTENSION: { meaning: "Its CA has an unknown critical extension", remedy: NEW_CA },
  EXPIRED: { meaning: "Its certificate has expired", remedy: NEW_CERTIFICATE },
  NOT_YET_VALID: { meaning: "Its certificate is not valid yet", remedy: "Check the manufacturer's clock." },
  WEAK_KEY: { meaning: "Its key is too weak or of an unsupported type", remedy: NEW_CERTIFICATE },
  KEY_TOO_LARGE: { meaning: "Its RSA key is larger than TLS accepts", remedy: NEW_CERTIFICATE },
  WEAK_SIGNATURE: { meaning: "Its certificate's signature is weak or unsupported", remedy: NEW_CERTIFICATE },
  CRITICAL_EXTENSION: {
    meaning: "Its certificate has an unknown critical extension",
    remedy: NEW_CERTIFICATE,
  },
  BAD_EXTENSION: { meaning: "An extension of its certificate can't be parsed", remedy: NEW_CERTIFICATE },
  BAD_SERIAL: { meaning: "Its serial number is not 1 to 20 octets, positive", remedy: NEW_CERTIFICATE },
  BAD_VALIDITY: { meaning: "Its validity ends before it begins, or has no year", remedy: NEW_CERTIFICATE },
  WRONG_PURPOSE: { meaning: "Its certificate is not for client authentication", remedy: NEW_CERTIFICATE },
  NOT_A_DEVICE: { meaning: "Its certificate is a CA certificate", remedy: NEW_CERTIFICATE },
  BAD_CERTIFICATE: { meaning: "Its certificate can't be parsed", remedy: NEW_CERTIFICATE },
  NAME_MISSING: { meaning: "Its certificate has no name", remedy: NAMED },
  NAME_DOUBLED: { meaning: "Its certificate has several names", remedy: NAMED },
  NAME_INVALID: { meaning: "Its name is not a valid thing name", remedy: NAMED },
  NAME_TAKEN: {
    meaning: "Another certificate has its name",
    remedy: "Revoke that one if its device no longer exists, or use another name.",
  },
  REPEAT_ASKED: {
    meaning: "Another key has its serial number",
    remedy: "If the device is genuine: lobbyctl enrolments approve NAME SERIAL.",
  },
  SERIAL_REVOKED: {
    meaning: "The device with its serial number was revoked",
    remedy: "If the device is genuine: lobbyctl enrolments approve NAME SERIAL.",
  },
  SERIAL_UNMATCHED: {
    meaning: "Its serial number is not of the claim certificate's enrolment",
    remedy: "Use the claim certificate of its own enrolment, or create an enrolment that matches it.",
  },
  SERIAL_INVALID: {
    meaning: "Its serial number is not a valid thing name",
    remedy: "It must send 1 to 128 of a-z A-Z 0-9 : _ -.",
  },
  CN_DIFFERS: {
    meaning: "Its request names another device",
    remedy: "The CN of its request must be its serial number, or absent.",
  },
  CLAIM_UNKNOWN: { meaning: "Its claim certificate belongs to no enrolment", remedy: NEW_CLAIM },
  CLAIM_REVOKED: { meaning: "Its claim certificate is revoked", remedy: NEW_CLAIM },
  CLAIM_EXPIRED: { meaning: "Its claim certificate has expired", remedy: NEW_CLAIM },
  CERTIFICATE_INACTIVE: {
    meaning: "Its certificate was deactivated",
    remedy: "It must request a new certificate.",
  },
  CERTIFICATE_RENEWED: {
    meaning: "It has renewed this certificate",
    remedy: "A client still uses the former certificate. If it is not the device, its key was copied.",
  },
  REVOKED: { meaning: "An operator has revoked it", remedy: "This is final." },
  CLONE_SUSPECTED: {
    meaning: "Its certificate seems to be in use twice",
    remedy:
      "Find the copy, then revoke the device. If there is only one device, dismiss the suspicion or lift the quarantine.",
  },
  QUARANTINED: {
    meaning: "A user has put it in quarantine",
    remedy: "Its history has the reason. Lift the quarantine, or revoke it.",
  },
};

/** Reasons for which a retry has no effect: a user's decision, or a certificate that must be replaced. */
const FINAL: ReadonlySet<string> = new Set([
  "REVOKED",
  "CLONE_SUSPECTED",
  "QUARANTINED",
  "REVOKED_BY_ISSUER",
  "TARGET_REVOKED_CERTIFICATE",
  ...Object.keys(REASONS).filter((code) => REASONS[code]?.remedy === NEW_CERTIFICATE),
]);

export type NextAction = "retry" | "release";

/**
 * The action that most likely helps a device; null if it needs none, or none helps. A retry restarts a
 * working device, so it is never suggested for one.
 */
export function nextAction(state: string, reason: string | null): NextAction | null {
  if (state === "proving") return reason === CODE_NOT_SHOWN ? "release" : null;
  if (reason === null || FINAL.has(reason) || HEALTHY.has(state)) return null;
  return "retry";
}

/** States of devices that have left the lobby for their target. */
const HEALTHY: ReadonlySet<string> = new Set(["commissioned", "arrived"]);

/** The text for a code; a pointer to the device's page for unknown codes. */
export function reasonText(code: string): ReasonText {
  return (
    REASONS[code] ?? {
      meaning: "Unknown reason",
      remedy: "See the message on the device's page.",
    }
  );
}
