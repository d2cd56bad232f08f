/** The page's only claim queue, with the browser's IndexedDB, Web Locks and BroadcastChannel. */
import { useSyncExternalStore } from "react";
import { serverClock } from "../../../clock/server_clock";
import { ClaimQueue, type Claims, type QueueEnvironment } from "./claim_queue";
import { openClaimStore } from "./claim_store";

const NAME = "device-lobby.claims";
/** Longer than one claim and the query for its holder can take. */
const ASLEEP_AFTER_MS = 90_000;

/** Null in browsers without it: their tabs see each other's claims on the next load. */
const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(NAME);

const BROWSER: QueueEnvironment = {
  store: openClaimStore,
  alone,
  notifyTabs: () => others?.postMessage("changed"),
  now: () => new Date(serverClock.now()),
  salt: () => crypto.randomUUID().slice(0, 8),
};

/**
 * Runs in one tab at a time. A suspended tab loses the lock: two tabs sending the same claim is harmless, no
 * tab sending is not.
 */
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

export const claimQueue = new ClaimQueue(BROWSER);

if (others) others.onmessage = () => void claimQueue.load();

export function useClaims(): Claims {
  return useSyncExternalStore(claimQueue.subscribe, claimQueue.claims);
}
