/** Who is stuck: claimed, or commissioned, for longer than that takes when all is well. */
import type { ResultOf } from "../../api/graphql";
import type { STUCK, StuckDevice } from "./operations";

const MINUTE = 60_000;

/** How long is too long; the first is what one begins with. */
export const THRESHOLDS = [
  { label: "5 min", ms: 5 * MINUTE },
  { label: "1 h", ms: 60 * MINUTE },
  { label: "1 day", ms: 24 * 60 * MINUTE },
] as const;

/** What may be the matter, for who is in that state for too long. */
export const HINTS: Readonly<Record<string, string>> = {
  claimed: "Claimed: the target could not be reached yet, or many are in the queue.",
  commissioned: "Commissioned: has it power and a network? It has not connected to its target yet.",
};

/** The moment `ms` before `now`, to the minute, so that the question stays the same for a while. */
export function earlier(now: Date, ms: number): string {
  return new Date(Math.floor((now.getTime() - ms) / MINUTE) * MINUTE).toISOString();
}

export interface Stuck {
  devices: StuckDevice[];
  /** The states that have more than are shown. */
  more: string[];
}

/** Whoever waits longest first. */
export function stuckOf(pages: ResultOf<typeof STUCK>): Stuck {
  const devices = [...pages.claimed.nodes, ...pages.commissioned.nodes];
  devices.sort((one, other) => one.enteredAt.localeCompare(other.enteredAt));
  const states = ["claimed", "commissioned"] as const;
  return { devices, more: states.filter((state) => pages[state].pageInfo.hasNextPage) };
}
