/** The draft of an enrolment: missing values, and the variables of the mutation. */
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
};

/** Return a message about missing values. */
export function faultOf(draft: Draft): string | undefined {
  if (!draft.name.trim()) return "Enter a name.";
  if (draft.door === "claim" && draft.limit === "")
    return "Enter a limit: the devices of this door share a key. Lists of serial numbers: lobbyctl enrolments create.";
  if (draft.door !== "registration") return undefined;
  if (!draft.pattern.trim() && !draft.organization.trim() && !draft.ca.trim())
    return "Fill in at least one condition: device names, organization or CA.";
  return undefined;
}

export function variablesOf(draft: Draft) {
  const [account = "", region = ""] = draft.target?.split("/") ?? [];
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
    allocation: draft.target ? { targets: [{ target: { account, region } }] } : null,
  };
}
