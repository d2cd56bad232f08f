/**
 * Stuck devices: those that stay in a transitional state for longer than usual, and all that wait for a
 * presence code which their client cannot show.
 */
import type { ResultOf } from "../../api/graphql";
import type { STUCK, StuckDevice } from "./operations";

const MINUTE = 60_000;

/** The thresholds; the first is the default. */
export const THRESHOLDS = [
  { label: "5 min", ms: 5 * MINUTE },
  { label: "1 h", ms: 60 * MINUTE },
  { label: "1 day", ms: 24 * 60 * MINUTE },
] as const;

/** The transitional states, and the likely cause for each. */
export const HINTS: Readonly<Record<string, string>> = {
  proving:
    "Needs code: someone at the device must enter the code that it shows, or the claim must be released.",
  claimed: "Claimed: the target is unreachable, or many devices are queued.",
  commissioned: "Commissioned: not connected to the target yet. Check the device's power and network.",
};

/** The time `ms` before `now`, rounded to the minute so that the query stays the same for a while. */
export function earlier(now: Date, ms: number): string {
  return new Date(Math.floor((now.getTime() - ms) / MINUTE) * MINUTE).toISOString();
}

export interface Stuck {
  devices: StuckDevice[];
  /** The states that have more devices than are shown. */
  more: string[];
}

/** Longest wait first, each device once. */
export function stuckOf({ unshown, ...overdue }: ResultOf<typeof STUCK>): Stuck {
  const pages = [unshown, ...Object.values(overdue)];
  const byCertid = new Map(pages.flatMap(({ nodes }) => nodes).map((device) => [device.certid, device]));
  const devices = [...byCertid.values()];
  devices.sort((one, other) => one.enteredAt.localeCompare(other.enteredAt));
  const states = ["proving", "claimed", "commissioned"] as const;
  const cut = (state: (typeof states)[number]) =>
    overdue[state].pageInfo.hasNextPage || (state === "proving" && unshown.pageInfo.hasNextPage);
  return { devices, more: states.filter(cut) };
}
