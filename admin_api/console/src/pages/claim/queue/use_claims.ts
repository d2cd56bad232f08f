/** The one queue of this page, with the browser's own doors: IndexedDB, Web Locks, and a word to the other tabs. */
import { useSyncExternalStore } from "react";
import { ClaimQueue, type Claims, type Doors } from "./claim_queue";
import { openShelf } from "./shelf";

const NAME = "device-lobby.claims";
/** Longer than one claim and the question who holds it may take. */
const ASLEEP_AFTER_MS = 90_000;

/** Null in a browser that lacks it: its tabs then learn of each other's claims when they are looked at. */
const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);

const DOORS: Doors = {
  shelf: openShelf,
  alone,
  tellOthers: () => others?.postMessage("changed"),
  now: () => new Date(),
  salt: () => crypto.randomUUID().slice(0, 8),
};

/** One at a time among this browser's tabs. A tab that the phone has put to sleep while it held the lock loses it: that
 * two send the same claim does no harm, that none sends would. */
async function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  let begun = false;
  const begin = () => {
    begun = true;
    return work();
  };
  try {
    return await navigator.locks.request(NAME, { signal: AbortSignal.timeout(ASLEEP_AFTER_MS) }, begin);
  } catch (error) {
    if (begun) throw error;
    return await navigator.locks.request(NAME, { steal: true }, work);
  }
}

export const claimQueue = new ClaimQueue(DOORS);

if (others) others.onmessage = () => void claimQueue.load();

export function useClaims(): Claims {
  return useSyncExternalStore(claimQueue.subscribe, claimQueue.claims);
}
