/**
 * What the claim page remembers on this phone: who used it last, the targets that they may claim for, so that one can be
 * picked without a network, and the one they picked. Names only, never a token. Another person starts afresh.
 */
import type { TargetEntry } from "../../parts/target_names";

export interface Kept {
  person: string;
  targets: readonly TargetEntry[];
  /** `account/region` of the one picked last. */
  picked: string | null;
}

const KEY = "device-lobby.claim";

/** Null where nothing is kept, or nothing that can be read. */
export function readKept(): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<Kept> | null;
    if (typeof kept?.person !== "string" || !Array.isArray(kept.targets)) return null;
    return { person: kept.person, targets: kept.targets, picked: kept.picked ?? null };
  } catch {
    return null;
  }
}

export function keep(kept: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // A comfort only: a browser that keeps nothing asks again.
  }
}
