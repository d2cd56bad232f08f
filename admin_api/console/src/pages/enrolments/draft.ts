/** The draft of an enrolment: missing values, and the variables of the mutation. */
export interface Draft {
  name: string;
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
  if (!draft.pattern.trim() && !draft.organization.trim() && !draft.ca.trim())
    return "Fill in at least one condition: device names, organization or CA.";
  return undefined;
}

export function variablesOf(draft: Draft) {
  const [account = "", region = ""] = draft.target?.split("/") ?? [];
  const organization = draft.organization.trim();
  return {
    name: draft.name.trim(),
    match: {
      namePattern: draft.pattern.trim() || null,
      ca: draft.ca.trim() || null,
      subject: organization ? [{ field: "O", value: organization }] : null,
    },
    limit: draft.limit === "" ? null : Number(draft.limit),
    ends: draft.ends || null,
    allocation: draft.target ? { targets: [{ target: { account, region } }] } : null,
  };
}
