/**
 * Why devices fail or are refused: what each reason code means, in one line, and what to do about it. As in the README's
 * table, "When a device is stuck"; a test holds the two together. A device's own page has the lobby's words as well.
 */
export interface ReasonWords {
  meaning: string;
  mend: string;
}

const RETRY = "then retry";
const RENEW = "Have the CA's list renewed and published: pki renew-crl, pki publish-crl.";
const CHAIN = "See that its CA is registered here (pki register), active and in date.";
const NAMED = "Its subject must have one CN that is a thing name: a-z A-Z 0-9 : _ -, at most 64.";
const MADE_ANEW = "The manufacturer has to make it a new certificate.";

export const REASONS: Readonly<Record<string, ReasonWords>> = {
  TARGET_ROLE_DENIED: {
    meaning: "The role in the target cannot be assumed",
    mend: `Run the target's set-up command there, ${RETRY}. A lobby that was made anew needs it in every target.`,
  },
  TARGET_PERMISSION_MISSING: {
    meaning: "The target's role lacks a permission",
    mend: `Check the target, which names it; run its set-up command again, ${RETRY}.`,
  },
  TARGET_POLICY_MISSING: {
    meaning: "The profile's policy is not in the target",
    mend: `Run the target's set-up command, which has its profiles, ${RETRY}.`,
  },
  UNKNOWN_TARGET: { meaning: "The target is not registered", mend: `Register it, ${RETRY}.` },
  UNKNOWN_PROFILE: {
    meaning: "The target does not have the profile",
    mend: `Add it to the target, ${RETRY}.`,
  },
  TARGET_NAME_TAKEN: {
    meaning: "Another certificate's thing has its name in the target",
    mend: `Delete that thing there, or use another name, ${RETRY}.`,
  },
  TARGET_REFUSED_CERTIFICATE: {
    meaning: "AWS IoT in the target does not take the certificate",
    mend: "The device's page has what it said.",
  },
  TARGET_REVOKED_CERTIFICATE: {
    meaning: "The target's owner has revoked the certificate there",
    mend: "Only they can lift that.",
  },
  TARGET_UNREACHABLE: {
    meaning: "AWS in the target did not answer for minutes",
    mend: "When it does again, retry.",
  },
  TARGET_LIMIT: { meaning: "A quota of the target account is used up", mend: `Raise it, ${RETRY}.` },
  TARGET_REGION_DISABLED: {
    meaning: "The Region is not enabled in the target account",
    mend: `Enable it there, ${RETRY}.`,
  },
  CODE_NOT_SHOWN: {
    meaning: "Its client shows no codes, and its target asks for one",
    mend: "Update its client, or release it and claim it for a target that asks for none.",
  },
  PRESENCE_FAILED: {
    meaning: "Five wrong codes ended its claim",
    mend: "See in its history who tried. It can be claimed again after ten minutes.",
  },
  CRL_MISSING: { meaning: "Its CA has published no revocation list", mend: RENEW },
  CRL_STALE: { meaning: "Its CA's revocation list is out of date", mend: RENEW },
  CRL_INVALID: { meaning: "The revocation list is not its CA's own", mend: RENEW },
  REVOKED_BY_ISSUER: {
    meaning: "The manufacturer has revoked its certificate",
    mend: "It stays outside; ask the manufacturer why.",
  },
  UNTRUSTED_CHAIN: { meaning: "Its certificate leads to no CA that is registered here", mend: CHAIN },
  CA_UNKNOWN: { meaning: "Its CA is not registered here", mend: CHAIN },
  CA_INACTIVE: { meaning: "Its CA is not active here", mend: CHAIN },
  CA_EXPIRED: { meaning: "Its CA's certificate has expired", mend: CHAIN },
  EXPIRED: { meaning: "Its certificate has expired", mend: MADE_ANEW },
  NOT_YET_VALID: { meaning: "Its certificate is not valid yet", mend: "Look at the factory's clock." },
  WEAK_KEY: { meaning: "Its key is too weak, or of an odd kind", mend: MADE_ANEW },
  WEAK_SIGNATURE: { meaning: "Its certificate's signature is too weak (SHA-1)", mend: MADE_ANEW },
  WRONG_PURPOSE: { meaning: "Its certificate is not for client authentication", mend: MADE_ANEW },
  NOT_A_DEVICE: { meaning: "Its certificate is a CA's", mend: MADE_ANEW },
  BAD_CERTIFICATE: { meaning: "Its certificate cannot be read", mend: MADE_ANEW },
  NAME_MISSING: { meaning: "Its certificate has no name", mend: NAMED },
  NAME_DOUBLED: { meaning: "Its certificate has several names", mend: NAMED },
  NAME_INVALID: { meaning: "Its name is not a thing name", mend: NAMED },
  NAME_TAKEN: {
    meaning: "Another certificate holds its name",
    mend: "Revoke that one where it is gone for good, or give this one another name.",
  },
  REVOKED: { meaning: "An operator has banned it", mend: "That is final." },
};

/** Words for any code; for one that we do not know, where to look. */
export function reasonWords(code: string): ReasonWords {
  return (
    REASONS[code] ?? {
      meaning: "A reason without words here",
      mend: "The device's page has the lobby's own.",
    }
  );
}
