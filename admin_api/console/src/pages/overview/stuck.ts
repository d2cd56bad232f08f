/** Stuck devices: claimed or commissioned for longer than usual. */
import type { ResultOf } from "../../api/graphql";
import type { STUCK, StuckDevice } from "./operations";

const MINUTE = 60_000;

/** The thresholds; the first is the default. */
export const THRESHOLDS = [
  { label: "5 min", ms: 5 * MINUTE },
  { label: "1 h", ms: 60 * MINUTE },
  { label: "1 day", ms: 24 * 60 * MINUTE },
] as const;

/** The likely cause for each state. */
export const HINTS: Readonly<Record<string, string>> = {
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

/** Longest wait first. */
export function stuckOf(pages: ResultOf<typeof STUCK>): Stuck {
  const devices = [...pages.claimed.nodes, ...pages.commissioned.nodes];
  devices.sort((one, other) => one.enteredAt.localeCompare(other.enteredAt));
  const states = ["claimed", "commissioned"] as const;
  return { devices, more: states.filter((state) => pages[state].pageInfo.hasNextPage) };
}
