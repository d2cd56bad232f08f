/**
 * What a check of a target comes to, in words: everything found, something missing, or something that AWS did not tell.
 * Without its role nothing else can be tried, so that is then the only finding.
 */
import { counted } from "../../parts/numbers";
import type { Checked } from "./operations";

export type Finding = Checked["findings"][number];

export interface Verdict {
  ok: boolean;
  /** "All 13 found", "2 of 13 missing". */
  words: string;
  /** Whether running the set-up command would help; a step that could not be told only wants another check. */
  wantsSetup: boolean;
}

/** The surveyor's words where AWS gave no answer (`commissioner/lambdas/surveyor.py`). */
const UNTOLD = "could not be checked";

export function isUntold({ ok, message }: Finding): boolean {
  return !ok && message.startsWith(UNTOLD);
}

export function verdictOf({ ok, findings }: Pick<Checked, "ok" | "findings">): Verdict {
  if (ok) return { ok, words: `All ${findings.length} found`, wantsSetup: false };
  const untold = findings.filter(isUntold).length;
  const missing = findings.filter((finding) => !finding.ok).length - untold;
  if (missing > 0 && findings.length === 1)
    return { ok, words: "The role cannot be assumed", wantsSetup: true };
  if (missing > 0) return { ok, words: `${missing} of ${findings.length} missing`, wantsSetup: true };
  return {
    ok,
    words: untold > 0 ? `${counted(untold, "step")} could not be told` : "Nothing was found",
    wantsSetup: false,
  };
}

/** What needs somebody comes first; within that, the order in which it was tried. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => Number(one.ok) - Number(other.ok));
}

/** `./deploy.sh target --without-role`: the account's role comes with the Region that was registered first. */
export function waitsForRole(command: string): boolean {
  return command.split(" ").includes("--without-role");
}
