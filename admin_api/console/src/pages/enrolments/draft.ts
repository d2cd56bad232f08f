/** The draft of an enrolment: missing values, and the variables of the mutation. */
import { type ClaimRequest, configError, configOf, EMPTY_REQUEST } from "../../parts/claim_request";

export type Door = "registration" | "claim" | "token";

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
}

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
};

/** Return a message about missing values. */
export function faultOf(draft: Draft): string | undefined {
  if (!draft.name.trim()) return "Enter a name.";
  if (draft.door === "claim" && draft.limit === "")
    return "Enter a limit: the devices of this door share a key. Lists of serial numbers: lobbyctl enrolments create.";
  const wrong = configError(draft.config);
  if (wrong) return `Config: ${wrong}`;
  if (draft.door !== "registration") return undefined;
  if (!draft.pattern.trim() && !draft.organization.trim() && !draft.ca.trim())
    return "Fill in at least one condition: device names, organization or CA.";
  return undefined;
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
