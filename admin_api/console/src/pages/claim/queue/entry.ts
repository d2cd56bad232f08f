/**
 * One claim on this phone: written down before it is sent, and kept until somebody has seen what became of it. It belongs
 * to the person who made it and is sent in no other name, unless another person takes it over. Pure.
 */
import type { Failure } from "../../../api/failures";
import { keyOf, type TargetName } from "../../../parts/target_names";

/** What somebody wants. */
export interface ClaimWish {
  certid: string;
  target: TargetName;
  /** Null: the target's usual one. */
  profile: string | null;
}

/** Who has the device that was wanted. */
export interface Holder {
  by: string | null;
  at: string | null;
  target: TargetName | null;
}

export interface Refusal {
  failure: Failure;
  holder?: Holder;
}

export interface Entry extends ClaimWish {
  /** Ids sort in the order in which claims were made. */
  id: string;
  /** The user's name; null where nobody was known: opened without a network on a phone that nobody had used. */
  by: string | null;
  madeAt: string;
  standing: "waiting" | "refused" | "sent";
  /** How often it was sent; where there was a try before, its answer may have been lost. */
  tries: number;
  refusal?: Refusal;
  sentAt?: string;
}

/** What came back. `later`: it may never have arrived, or there is no session; it is sent again. */
export type Outcome =
  | { is: "sent" }
  | { is: "refused"; refusal: Refusal }
  | { is: "later"; hindrance: Failure };

/** After so long somebody may want the same again: it was released meanwhile. */
const JUST_NOW_MS = 10 * 60_000;
/** What was sent stays in the list for a working day. */
const SENT_KEPT_MS = 12 * 3_600_000;

export function nextToSend(entries: readonly Entry[], person: string): Entry | undefined {
  return entries.find((entry) => entry.standing === "waiting" && entry.by === person);
}

/**
 * Those that need not be sent, as the same person wants something else of the device, or the same twice. Of two that are
 * the same the first stays; a later one for elsewhere takes the place of one that never left the phone. What was sent, or
 * is on its way just now (`sending`), may have been carried out: it stays, to be asked after.
 */
export function needless(entries: readonly Entry[], sending: string | null): ReadonlySet<string> {
  const gone = new Set<string>();
  const last = new Map<string, Entry>();
  for (const entry of entries.filter(({ standing }) => standing === "waiting")) {
    const device = JSON.stringify([entry.by, entry.certid]);
    const before = last.get(device);
    if (before && isSameWish(before, entry) && entry.id !== sending && entry.tries === 0) gone.add(entry.id);
    else {
      if (before && before.id !== sending && before.tries === 0) gone.add(before.id);
      last.set(device, entry);
    }
  }
  return gone;
}

function isSameWish(one: ClaimWish, other: ClaimWish): boolean {
  return keyOf(one.target) === keyOf(other.target) && one.profile === other.profile;
}

/** Those of others, or of nobody known, that wait for their person. */
export function heldFor(entries: readonly Entry[], person: string | null): readonly Entry[] {
  return entries.filter((entry) => entry.standing !== "sent" && entry.by !== person);
}

export function answered(entry: Entry, outcome: Outcome & { is: "sent" | "refused" }, now: Date): Entry {
  const { refusal: _, ...rest } = entry;
  return outcome.is === "sent"
    ? { ...rest, standing: "sent", sentAt: now.toISOString() }
    : { ...rest, standing: "refused", refusal: outcome.refusal };
}

/** To be sent again, in the name of `person`. */
export function again(entry: Entry, person: string | null): Entry {
  const { refusal: _, ...rest } = entry;
  return { ...rest, standing: "waiting", by: person };
}

export function isOver(entry: Entry, now: Date): boolean {
  return entry.standing === "sent" && now.getTime() - Date.parse(entry.sentAt ?? entry.madeAt) > SENT_KEPT_MS;
}

/** The claim that `person` made of this device here and that need not be made again: it still waits, or was sent just now
 * for the same target. */
export function madeOf(
  entries: readonly Entry[],
  { certid, target }: Pick<ClaimWish, "certid" | "target">,
  person: string | null,
  now: Date,
): Entry | undefined {
  return entries.findLast((entry) => {
    if (entry.certid !== certid || entry.by !== person || entry.standing === "refused") return false;
    if (entry.standing === "waiting") return true;
    const same = entry.target.account === target.account && entry.target.region === target.region;
    return same && now.getTime() - Date.parse(entry.sentAt ?? entry.madeAt) < JUST_NOW_MS;
  });
}
