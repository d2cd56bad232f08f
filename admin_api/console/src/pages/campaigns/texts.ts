/** The texts of a campaign: its operation, its progress, and its results as CSV. */
import { titleOf } from "../../api/failures";
import { duration } from "../../parts/durations";
import { formatNumber, pluralize } from "../../parts/numbers";
import { REASONS } from "../../parts/reasons";
import { keyOf } from "../../parts/target_names";
import { actorText } from "../device/history_text";
import { cellOf } from "../devices/csv";
import type { Campaign, Preview, Result } from "./operations";

/**
 * What a campaign does with its devices (#). @ is its target: for the operations of a standby, the target to which
 * the standby belongs.
 */
const PHRASES: Readonly<Record<Campaign["operation"], string>> = {
  CLAIM: "Claim # for @",
  MOVE: "Move # to @",
  CONFIGURE: "Configure #",
  RELEASE: "Release #",
  REVOKE: "Revoke #",
  RETRY: "Retry #",
  RENEW: "Renew the certificates of #",
  DISMISS: "Dismiss the suspicion of #",
  QUARANTINE: "Quarantine #",
  LIFT: "Lift the quarantine of #",
  PREPARE: "Prepare # of @ in its standby",
  EVACUATE: "Evacuate # from @ to its standby",
  RETURN: "Return # to @",
  DRILL: "Drill: send # from @ to its standby",
};

const STOPPED: Readonly<Record<string, string>> = {
  FAILURE_RATE: "too many devices failed",
  CANARY_FAILED: "a device of the canary failed",
  CANARY_NOT_ARRIVED: "not enough devices of the canary arrived",
  INVALID_MANIFEST: "its list of devices was changed",
  MANIFEST_MISSING: "its list of devices is missing",
  USER_BLOCKED: "a user who created or approved it was blocked",
};

/** "Move 812 devices to Rotterdam, which undoes to-sydney". `nameOf` returns a target's name. */
export function whatOf(campaign: Campaign, nameOf: (key: string) => string): string {
  const { operation, total, target, undoes } = campaign;
  const phrase = target ? PHRASES[operation] : PHRASES[operation].replace(/ (for|to) @$/, "");
  const words: Readonly<Record<string, string>> = {
    "#": pluralize(total, "device"),
    "@": target ? nameOf(keyOf(target)) : "",
  };
  const text = phrase.replace(/[#@]/g, (sign) => words[sign] ?? "");
  return undoes ? `${text}, which undoes ${undoes}` : text;
}

/** The reason why it does not advance by itself; undefined while it advances. */
export function waitOf(campaign: Campaign) {
  const { state, stoppedBecause, total, canaryArrived, createdBy, waitsFor } = campaign;
  // The chosen canary can be larger than the campaign.
  const canary = Math.min(campaign.canary, total);
  if (state === "approval") return `Waits for the approval of a user other than ${actorText(createdBy)}`;
  if (state === "stopped") return `Stopped: ${STOPPED[stoppedBecause ?? ""] ?? stoppedBecause}`;
  if (state === "running" && canaryArrived < canary)
    return `Canary: ${formatNumber(canaryArrived)} of ${formatNumber(canary)} arrived`;
  return state === "running" ? (waitsFor ?? undefined) : undefined;
}

const COUNTS = [
  "done",
  "awaited",
  "waiting",
  "failed",
  "refused",
  "unchanged",
  "superseded",
  "pending",
] as const;
const NAMES: Readonly<Record<(typeof COUNTS)[number], string>> = {
  done: "done",
  awaited: "not arrived yet",
  waiting: "in progress",
  failed: "failed",
  refused: "refused",
  unchanged: "already as requested",
  superseded: "changed by others",
  pending: "to do",
};

/** "320 done · 12 in progress · 668 to do". */
export function progressOf({ counts }: Campaign): string {
  const parts = COUNTS.filter((each) => counts[each] > 0);
  return parts.map((each) => `${formatNumber(counts[each])} ${NAMES[each]}`).join(" · ") || "No devices";
}

export interface StateText {
  label: string;
  color: string;
}

const STATES: Readonly<Record<string, StateText>> = {
  preparing: { label: "preparing", color: "blue" },
  running: { label: "running", color: "blue" },
  approval: { label: "needs approval", color: "yellow" },
  paused: { label: "paused", color: "yellow" },
  stopping: { label: "stopping", color: "yellow" },
  stopped: { label: "stopped", color: "red" },
  cancelled: { label: "cancelled", color: "gray" },
  done: { label: "done", color: "green" },
};

/** The state for its badge. A campaign that has ended is not simply done if devices failed or have not arrived. */
export function stateOf({ state, counts }: Pick<Campaign, "state" | "counts">): StateText {
  if (state === "done" && counts.failed + counts.refused > 0)
    return { label: "ended with failures", color: "red" };
  if (state === "done" && counts.awaited > 0) return { label: "ended, not all arrived", color: "yellow" };
  return STATES[state] ?? { label: state, color: "gray" };
}

/** The share of devices with an outcome, in per cent. */
export function shareOf({ counts, total }: Campaign): number {
  return total === 0 ? 100 : Math.round((100 * (total - counts.pending - counts.waiting)) / total);
}

export interface Part {
  name: string;
  color: string;
  /** In per cent of all devices. */
  share: number;
}

/** The parts of the progress bar: what is done, what is under way, what failed. The rest is to do. */
export function partsOf({ counts, total }: Campaign): Part[] {
  const parts: [string, string, number][] = [
    ["done", "lobby.7", counts.done],
    ["awaited", "lobby.4", counts.awaited],
    ["waiting", "lobby.2", counts.waiting],
    ["failed", "red.7", counts.failed + counts.refused],
    ["left", "gray.5", counts.unchanged + counts.superseded],
  ];
  return parts
    .filter(([, , count]) => count > 0)
    .map(([name, color, count]) => ({ name, color, share: (100 * count) / Math.max(1, total) }));
}

/** Why devices were not changed, or failed: a reason of a device, or a refusal of the operation. */
export function failureText(code: string): string {
  return REASONS[code]?.meaning ?? titleOf(code);
}

/** "in 2 min 5 s"; "any moment" if the time is over: it is an estimate. */
export function endText(expectedEnd: string, now: Date): string {
  const left = Date.parse(expectedEnd) - now.getTime();
  return left < 1_000 ? "any moment" : `in ${duration(left)}`;
}

/** "812 devices will be changed · 8 refused · takes at least 1 min 30 s". */
export function previewOf(preview: Preview): string {
  const refused = preview.refusals.reduce((sum, { count }) => sum + count, 0);
  return [
    `${pluralize(preview.changing, "device")} will be changed`,
    ...(preview.unchanged > 0 ? [`${formatNumber(preview.unchanged)} already as requested`] : []),
    ...(refused > 0 ? [`${formatNumber(refused)} refused`] : []),
    ...(preview.seconds > 0 ? [`takes at least ${duration(1000 * preview.seconds)}`] : []),
  ].join(" · ");
}

const COLUMNS = ["certid", "devicename", "outcome", "code", "from", "profile", "devstate", "target"];

/** The results as CSV (RFC 4180). */
export function csvOf(results: readonly Result[]): string {
  const rows = results.map(({ certid, outcome, code, previousTarget, previousProfile, device }) => [
    certid,
    device?.devicename ?? null,
    outcome,
    code,
    previousTarget ? keyOf(previousTarget) : null,
    previousProfile,
    device?.devstate ?? null,
    device?.targetaccount && device.targetregion ? `${device.targetaccount}/${device.targetregion}` : null,
  ]);
  return [COLUMNS.join(","), ...rows.map((row) => row.map(cellOf).join(",")), ""].join("\r\n");
}
