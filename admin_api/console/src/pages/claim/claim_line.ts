/**
 * What became of a claim, as a line: claimed → (seen) → (confirmed) → commissioned → arrived, with how long each took by the lobby's own
 * clock, and where it stands: under way, waiting for somebody to switch the device on, there, or failed. Pure.
 */
import type { TargetName } from "../../parts/target_names";

/** What the API says of a device; of its history the end. */
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
  /** When it was reached; null: not yet. */
  at: string | null;
  /** Since the step before it, where that is the lobby's doing: not the time that a device lay in its box. */
  tookMs: number | null;
}

/**
 * `unseen`: to be switched on. `proving`: its code is to be typed. `under way`: the lobby or the device is at work. `not let in`: its certificate was
 * refused. `taken back`: nobody's claim holds it. `elsewhere`: claimed, but for another target.
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

export interface ClaimLine {
  standing: Standing;
  steps: readonly Step[];
  /** From the moment when both the claim and the device were there until it arrived. */
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

/** `device` null: the ledger has no row of it. */
export function claimLine(device: FollowedDevice | null, target: TargetName): ClaimLine {
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

function stepsOf(history: readonly Moment[], standing: Standing): Pick<ClaimLine, "steps" | "totalMs"> {
  const claimed = history.findLast(({ event }) => event === "claim" || event === "move");
  const since = claimed ? history.slice(history.indexOf(claimed)) : history;
  // Where it was tried again, the last try counts.
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

/** Two Lambdas' clocks may differ by a little: never less than nothing. */
function between(from: Moment, to: Moment): number {
  return Math.max(0, Date.parse(to.at) - Date.parse(from.at));
}

const QUICK_FOR_MS = 30_000;
const PATIENT_AFTER_MS = 5 * 60_000;

/** How long to wait before asking again, `sinceMs` after the last change; null: there is nothing more to come. */
export function askAgainAfter(standing: Standing, sinceMs: number): number | null {
  if (standing === "arrived" || standing === "revoked") return null;
  if (!["unseen", "proving", "under way"].includes(standing)) return 10_000; // an operator may mend it
  if (sinceMs < QUICK_FOR_MS) return 1_000;
  return sinceMs < PATIENT_AFTER_MS ? 5_000 : 30_000;
}
