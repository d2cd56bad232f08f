/**
 * The progress of a claim in steps: claimed → (seen) → (confirmed) → commissioned → arrived, with durations
 * from the lobby's clock, and its current status. Pure.
 */
import type { TargetName } from "../../parts/target_names";

/** What the API returns for a device, with the end of its history. */
export interface FollowedDevice {
  devstate: string | null;
  targetaccount: string | null;
  targetregion: string | null;
  history: readonly Moment[] | null;
}

export interface Moment {
  at: string;
  actor: string;
  event: string;
  after: string | null;
}

export type StepName = "Claimed" | "Seen" | "Confirmed" | "Commissioned" | "Arrived";

export interface Step {
  name: StepName;
  /** When the step was completed; null: not yet. */
  at: string | null;
  /** Time since the previous step if the lobby caused it; not the time that a device spends unpowered. */
  tookMs: number | null;
}

/**
 * `unseen`: must be powered on. `proving`: needs its presence code. `under way`: the lobby or the device is
 * working. `not let in`: its certificate was refused. `taken back`: no claim holds it. `elsewhere`: claimed
 * for another target.
 */
export type Standing =
  | "unseen"
  | "proving"
  | "under way"
  | "arrived"
  | "failed"
  | "not let in"
  | "revoked"
  | "taken back"
  | "elsewhere";

export interface ClaimProgress {
  standing: Standing;
  steps: readonly Step[];
  /** From the time when both the claim and the device existed until arrival. */
  totalMs: number | null;
}

const AT_WORK: Record<string, Standing> = {
  expected: "unseen",
  proving: "proving",
  claimed: "under way",
  commissioned: "under way",
  arrived: "arrived",
  failed: "failed",
  refused: "not let in",
  revoked: "revoked",
};

/** `device` null: the ledger has no row for it. */
export function claimProgress(device: FollowedDevice | null, target: TargetName): ClaimProgress {
  const standing = standingOf(device, target);
  return { standing, ...stepsOf(device?.history ?? [], standing) };
}

function standingOf(device: FollowedDevice | null, target: TargetName): Standing {
  const standing = AT_WORK[device?.devstate ?? ""] ?? "taken back";
  if (!device || standing === "taken back" || standing === "revoked") return standing;
  if (device.targetaccount === null) return standing === "not let in" ? standing : "taken back";
  const here = device.targetaccount === target.account && device.targetregion === target.region;
  return here ? standing : "elsewhere";
}

function stepsOf(history: readonly Moment[], standing: Standing): Pick<ClaimProgress, "steps" | "totalMs"> {
  const claimed = history.findLast(({ event }) => event === "claim" || event === "move");
  const since = claimed ? history.slice(history.indexOf(claimed)) : history;
  // After a retry, the last attempt counts.
  const ready = since.findLast(({ after }) => after === "claimed");
  const tried = ready ? since.slice(since.indexOf(ready)) : [];
  const commissioned = tried.find(({ after }) => after === "commissioned");
  const arrived = tried.find(({ after }) => after === "arrived");
  const unseen = claimed?.after === "expected";
  const steps: Step[] = [
    step("Claimed", claimed ?? ready),
    ...(unseen || standing === "unseen"
      ? [
          step(
            "Seen",
            since.find(({ event }) => event === "admit"),
          ),
        ]
      : []),
    ...(since.some(({ after }) => after === "proving")
      ? [
          step(
            "Confirmed",
            since.findLast(({ event }) => event === "confirm"),
          ),
        ]
      : []),
    step("Commissioned", commissioned, ready),
    step("Arrived", arrived, commissioned),
  ];
  return { steps, totalMs: ready && arrived ? between(ready, arrived) : null };
}

function step(name: StepName, moment: Moment | undefined, since?: Moment): Step {
  return { name, at: moment?.at ?? null, tookMs: moment && since ? between(since, moment) : null };
}

/** The clocks of two Lambdas may differ slightly: never return a negative duration. */
function between(from: Moment, to: Moment): number {
  return Math.max(0, Date.parse(to.at) - Date.parse(from.at));
}

const QUICK_FOR_MS = 30_000;
const PATIENT_AFTER_MS = 5 * 60_000;

/** How long to wait before the next poll, `sinceMs` after the last change; null: the status is final. */
export function askAgainAfter(standing: Standing, sinceMs: number): number | null {
  if (standing === "arrived" || standing === "revoked") return null;
  if (!["unseen", "proving", "under way"].includes(standing)) return 10_000; // an operator may repair it
  if (sinceMs < QUICK_FOR_MS) return 1_000;
  return sinceMs < PATIENT_AFTER_MS ? 5_000 : 30_000;
}
