/**
 * One claim on this phone. It is stored before it is sent and kept until the user has seen its result. It
 * belongs to the user who made it and is sent only as that user, unless another user takes it over. The
 * stored field names must not change: phones hold unsent claims. Pure.
 */
import type { Failure } from "../../../api/failures";
import { keyOf, type TargetName } from "../../../parts/target_names";

/** What is claimed. */
export interface DeviceClaim {
  certid: string;
  target: TargetName;
  /** Null: the target's default profile. */
  profile: string | null;
}

/** Who holds the device. */
export interface Holder {
  by: string | null;
  at: string | null;
  target: TargetName | null;
}

export interface Refusal {
  failure: Failure;
  holder?: Holder;
}

export interface Entry extends DeviceClaim {
  /** Ids sort in the order in which claims were made. */
  id: string;
  /** The user's name; null if the page was opened offline on a phone that nobody had signed in on. */
  by: string | null;
  madeAt: string;
  standing: "waiting" | "refused" | "sent";
  /** The number of attempts; after one, the response may have been lost. */
  tries: number;
  refusal?: Refusal;
  sentAt?: string;
}

/** The result. `later`: the request may not have arrived, or there is no session; it is sent again. */
export type Outcome =
  | { is: "sent" }
  | { is: "refused"; refusal: Refusal }
  | { is: "later"; lastFailure: Failure };

/** After this time the user may want the same claim again, for example after a release. */
const JUST_NOW_MS = 10 * 60_000;
/** Sent claims stay in the list for a working day. */
const SENT_KEPT_MS = 12 * 3_600_000;

export function nextToSend(entries: readonly Entry[], user: string): Entry | undefined {
  return entries.find((entry) => entry.standing === "waiting" && entry.by === user);
}

/**
 * Return the claims that need not be sent because the same user has made the same or another claim of the
 * device. Of two equal claims the first is kept. A later claim for another target replaces one that was never
 * sent. A claim that was sent or is being sent (`sending`) may have taken effect and is kept.
 */
export function redundant(entries: readonly Entry[], sending: string | null): ReadonlySet<string> {
  const gone = new Set<string>();
  const last = new Map<string, Entry>();
  for (const entry of entries.filter(({ standing }) => standing === "waiting")) {
    const device = JSON.stringify([entry.by, entry.certid]);
    const before = last.get(device);
    if (before && isSameClaim(before, entry) && entry.id !== sending && entry.tries === 0) gone.add(entry.id);
    else {
      if (before && before.id !== sending && before.tries === 0) gone.add(before.id);
      last.set(device, entry);
    }
  }
  return gone;
}

function isSameClaim(one: DeviceClaim, other: DeviceClaim): boolean {
  return keyOf(one.target) === keyOf(other.target) && one.profile === other.profile;
}

/** Claims of other or unknown users that wait for their user. */
export function claimsOfOthers(entries: readonly Entry[], user: string | null): readonly Entry[] {
  return entries.filter((entry) => entry.standing !== "sent" && entry.by !== user);
}

export function answered(entry: Entry, outcome: Outcome & { is: "sent" | "refused" }, now: Date): Entry {
  const { refusal: _, ...rest } = entry;
  return outcome.is === "sent"
    ? { ...rest, standing: "sent", sentAt: now.toISOString() }
    : { ...rest, standing: "refused", refusal: outcome.refusal };
}

/** The claim, to be sent again as `user`. */
export function resent(entry: Entry, user: string | null): Entry {
  const { refusal: _, ...rest } = entry;
  return { ...rest, standing: "waiting", by: user };
}

export function isExpired(entry: Entry, now: Date): boolean {
  return entry.standing === "sent" && now.getTime() - Date.parse(entry.sentAt ?? entry.madeAt) > SENT_KEPT_MS;
}

/**
 * Return the claim of this device by `user` that need not be repeated: one that still waits, or one that was
 * sent recently for the same target.
 */
export function existingClaim(
  entries: readonly Entry[],
  { certid, target }: Pick<DeviceClaim, "certid" | "target">,
  user: string | null,
  now: Date,
): Entry | undefined {
  return entries.findLast((entry) => {
    if (entry.certid !== certid || entry.by !== user || entry.standing === "refused") return false;
    if (entry.standing === "waiting") return true;
    const same = entry.target.account === target.account && entry.target.region === target.region;
    return same && now.getTime() - Date.parse(entry.sentAt ?? entry.madeAt) < JUST_NOW_MS;
  });
}
