/**
 * What the claim page remembers on this phone: the last user, their targets (so that one can be chosen
 * offline) and their last choice. Contains names only, never a token. Another user starts with an empty
 * choice. The stored field names must not change.
 */
import type { TargetEntry } from "../../parts/target_names";

export interface StoredChoice {
  person: string;
  targets: readonly TargetEntry[];
  /** `account/region` of the last choice. */
  picked: string | null;
}

const KEY = "device-lobby.claim";

/** Null if nothing readable is stored. */
export function readStoredChoice(): StoredChoice | null {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<StoredChoice> | null;
    if (typeof stored?.person !== "string" || !Array.isArray(stored.targets)) return null;
    return { person: stored.person, targets: stored.targets, picked: stored.picked ?? null };
  } catch {
    return null;
  }
}

export function storeChoice(stored: StoredChoice): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(stored));
  } catch {
    // Optional: without storage the user chooses again.
  }
}
