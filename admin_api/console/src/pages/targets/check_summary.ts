/**
 * Summarizes a target check: everything found, something missing, or inconclusive. Without the role nothing
 * else can be tested, so it is then the only finding.
 */
import { pluralize } from "../../parts/numbers";
import type { Checked } from "./operations";

export type Finding = Checked["findings"][number];

export interface CheckSummary {
  ok: boolean;
  /** "All 13 found", "2 of 13 missing". */
  text: string;
  /** Whether the setup command would help; an inconclusive step only needs another check. */
  needsSetup: boolean;
}

/** The surveyor's message when AWS gave no answer (`commissioner/lambdas/surveyor.py`). */
const INCONCLUSIVE = "could not be checked";

export function isInconclusive({ ok, message }: Finding): boolean {
  return !ok && message.startsWith(INCONCLUSIVE);
}

export function summarize({ ok, findings }: Pick<Checked, "ok" | "findings">): CheckSummary {
  if (ok) return { ok, text: `All ${findings.length} found`, needsSetup: false };
  const inconclusive = findings.filter(isInconclusive).length;
  const missing = findings.filter((finding) => !finding.ok).length - inconclusive;
  if (missing > 0 && findings.length === 1)
    return { ok, text: "The role can't be assumed", needsSetup: true };
  if (missing > 0) return { ok, text: `${missing} of ${findings.length} missing`, needsSetup: true };
  return {
    ok,
    text: inconclusive > 0 ? `${pluralize(inconclusive, "step")} inconclusive` : "Nothing found",
    needsSetup: false,
  };
}

/** Problems first; otherwise in the order of the check. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => Number(one.ok) - Number(other.ok));
}

/** `./deploy.sh target --without-role`: the role belongs to the Region that was registered first. */
export function waitsForRole(command: string): boolean {
  return command.split(" ").includes("--without-role");
}
