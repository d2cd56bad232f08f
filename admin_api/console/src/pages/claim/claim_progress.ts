/**
 * The progress of a claim in steps: claimed → (seen) → (confirmed) → commissioned → arrived, with durations
 * from the lobby's clock, and its current status. Pure.
 */
import { CODE_NOT_SHOWN } from "../../parts/reason_codes";
import type { TargetName } from "../../parts/target_names";

/** What the API returns for a device, with the end of its history. */
export interface FollowedDevice {
  devstate: string | null;
  targetaccount: string | null;
  targetregion: string | null;
  reason?: string | null;
  showsCode?: boolean | null;
  history: readonly HistoryEntry[] | null;
}

export interface HistoryEntry {
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
 * `unseen`: must be powered on. `proving`: needs its presence code. `no code`: needs a presence code that its
 * client cannot show. `in progress`: the lobby or the device is
 * working. `refused`: its certificate was refused. `quarantined`: its
 * certificate is deactivated until a user lifts it. `released`: no claim holds it. `other target`: claimed
 * for another target.
 */
export type ClaimStatus =
  | "unseen"
  | "proving"
  | "no code"
  | "in progress"
  | "arrived"
  | "failed"
  | "refused"
  | "revoked"
  | "quarantined"
  | "released"
  | "other target";

export interface ClaimProgress {
  status: ClaimStatus;
  steps: readonly Step[];
  /** From the time when both the claim and the device existed until arrival. */
  totalMs: number | null;
}

const STUCK: readonly ClaimStatus[] = ["failed", "refused", "revoked", "quarantined", "no code"];

/** Whether the device stays as it is until a user acts. */
export function isStuck(status: ClaimStatus): boolean {
  return STUCK.includes(status);
}

const STATUS_BY_STATE: Record<string, ClaimStatus> = {
  expected: "unseen",
  proving: "proving",
  claimed: "in progress",
  commissioned: "in progress",
  arrived: "arrived",
  failed: "failed",
  refused: "refused",
  revoked: "revoked",
  quarantined: "quarantined",
};

/** `device` null: the ledger has no row for it. */
export function claimProgress(device: FollowedDevice | null, target: TargetName): ClaimProgress {
  const status = statusOf(device, target);
  return { status, ...stepsOf(device?.history ?? [], status) };
}

function statusOf(device: FollowedDevice | null, target: TargetName): ClaimStatus {
  const status = STATUS_BY_STATE[device?.devstate ?? ""] ?? "released";
  if (!device || status === "released" || status === "revoked") return status;
  if (device.targetaccount === null) return status === "refused" ? status : "released";
  const here = device.targetaccount === target.account && device.targetregion === target.region;
  if (!here) return "other target";
  return status === "proving" && isCodeNotShown(device) ? "no code" : status;
}

function isCodeNotShown({ reason, showsCode }: FollowedDevice): boolean {
  return reason === CODE_NOT_SHOWN || showsCode === false;
}

function stepsOf(
  history: readonly HistoryEntry[],
  status: ClaimStatus,
): Pick<ClaimProgress, "steps" | "totalMs"> {
  const claimed = history.findLast(({ event }) => event === "claim" || event === "move");
  const since = claimed ? history.slice(history.indexOf(claimed)) : history;
  // After a retry, the last attempt counts.
  const ready = since.findLast(({ after }) => after === "claimed");
  const attempt = ready ? since.slice(since.indexOf(ready)) : [];
  const commissioned = attempt.find(({ after }) => after === "commissioned");
  const arrived = attempt.find(({ after }) => after === "arrived");
  const unseen = claimed?.after === "expected";
  const steps: Step[] = [
    step("Claimed", claimed ?? ready),
    ...(unseen || status === "unseen"
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

function step(name: StepName, entry: HistoryEntry | undefined, since?: HistoryEntry): Step {
  return { name, at: entry?.at ?? null, tookMs: entry && since ? between(since, entry) : null };
}

/** The clocks of two Lambdas may differ slightly: never return a negative duration. */
function between(from: HistoryEntry, to: HistoryEntry): number {
  return Math.max(0, Date.parse(to.at) - Date.parse(from.at));
}

const FAST_POLL_MS = 30_000;
const SLOW_POLL_AFTER_MS = 5 * 60_000;

/** How long to wait before the next poll, `sinceMs` after the last change; null: the status is final. */
export function pollAfter(status: ClaimStatus, sinceMs: number): number | null {
  if (status === "arrived" || status === "revoked") return null;
  if (!["unseen", "proving", "in progress"].includes(status)) return 10_000; // an operator may repair it
  if (sinceMs < FAST_POLL_MS) return 1_000;
  return sinceMs < SLOW_POLL_AFTER_MS ? 5_000 : 30_000;
}
