/** The draft of an enrolment: missing values, and the variables of the mutation. */
import { type ClaimRequest, configError, configOf, EMPTY_REQUEST } from "../../parts/claim_request";

export type Door = "registration" | "claim" | "token";

/** A CA of one's own, as entered. */
export interface SignerDraft {
  /** The ARN of its key. */
  key: string;
  /** Its certificate in PEM. */
  ca: string;
  days: string | number;
}

export interface Draft {
  name: string;
  door: Door;
  pattern: string;
  organization: string;
  ca: string;
  limit: string | number;
  /** A date, or empty. */
  ends: string;
  /** The key of a target. */
  target: string | null;
  /** The profile of the claims, or empty. */
  profile: string;
  /** The config of the claims. */
  config: ClaimRequest;
  presence: boolean;
  /** Null for AWS IoT's CA. */
  signer: SignerDraft | null;
}

/** The values with which the fields of a CA of one's own appear. */
export const OWN_CA: SignerDraft = { key: "", ca: "", days: 3650 };

export const EMPTY: Draft = {
  name: "",
  door: "registration",
  pattern: "",
  organization: "",
  ca: "",
  limit: "",
  ends: "",
  target: null,
  profile: "",
  config: EMPTY_REQUEST,
  presence: false,
  signer: null,
};

/** Return a message about missing values. */
export function faultOf(draft: Draft): string | undefined {
  if (!draft.name.trim()) return "Enter a name.";
  if (draft.door === "claim" && draft.limit === "")
    return "Enter a limit: the devices of this door share a key. Lists of serial numbers: lobbyctl enrolments create.";
  const wrong = configError(draft.config);
  if (wrong) return `Config: ${wrong}`;
  const incomplete = signerFaultOf(draft.signer);
  if (incomplete) return incomplete;
  if (draft.door !== "registration") return undefined;
  if (!draft.pattern.trim() && !draft.organization.trim() && !draft.ca.trim())
    return "Fill in at least one condition: device names, organization or CA.";
  return undefined;
}

function signerFaultOf(signer: SignerDraft | null): string | undefined {
  if (!signer) return undefined;
  if (!signer.key.trim()) return "Enter the ARN of the CA's key.";
  if (!signer.ca.trim()) return "Enter the CA's certificate in PEM.";
  return signer.days === "" ? "Enter the validity of certificates in days." : undefined;
}

export function variablesOf(draft: Draft) {
  // Only a certificate of the device's own says something about a CA and an organization.
  const own = draft.door === "registration";
  const organization = own ? draft.organization.trim() : "";
  return {
    name: draft.name.trim(),
    door: draft.door,
    match: {
      namePattern: draft.pattern.trim() || null,
      ca: (own && draft.ca.trim()) || null,
      subject: organization ? [{ field: "O", value: organization }] : null,
    },
    limit: draft.limit === "" ? null : Number(draft.limit),
    ends: draft.ends || null,
    allocation: allocationOf(draft),
    signer: draft.signer && {
      key: draft.signer.key.trim(),
      caCertificate: draft.signer.ca.trim(),
      days: Number(draft.signer.days),
    },
  };
}

/** Return the target of the claims; without a target the defaults of users' claims; null if there is neither. */
function allocationOf({ target, profile, config, presence }: Draft) {
  const [account = "", region = ""] = target?.split("/") ?? [];
  const parts = {
    ...(target ? { targets: [{ target: { account, region } }] } : {}),
    ...(profile.trim() ? { profile: profile.trim() } : {}),
    ...(config.kind === "unset" ? {} : { config: configOf(config) }),
    ...(presence ? { presence } : {}),
  };
  return Object.keys(parts).length ? parts : null;
}
