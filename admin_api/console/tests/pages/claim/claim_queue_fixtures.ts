/** A claim queue on IndexedDB (in memory), with a fake clock and a lock shared by all tabs of a test. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach } from "vitest";
import { ClaimQueue, type QueueEnvironment } from "../../../src/pages/claim/queue/claim_queue";
import { type ClaimStore, openClaimStore } from "../../../src/pages/claim/queue/claim_store";
import type { Entry, Outcome } from "../../../src/pages/claim/queue/entry";

export const TARGET = { account: "111111111111", region: "eu-west-1" };
export const [A, B, C] = ["aa".repeat(32), "bb".repeat(32), "cc".repeat(32)] as [string, string, string];
export const SENT: Outcome = { is: "sent" };
export const LATER: Outcome = { is: "later", lastFailure: { code: "UNREACHABLE", message: "no answer" } };
export const REFUSED: Outcome = {
  is: "refused",
  refusal: { failure: { code: "FORBIDDEN", message: "got it, want another" } },
};

export let now: Date;
let salt: number;
let turn: Promise<unknown>;
export let store: ClaimStore;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  now = new Date("2026-05-01T10:00:00Z");
  salt = 0;
  turn = Promise.resolve();
  store = await openClaimStore();
});

/** Advances the clock. */
export function advance(ms: number): void {
  now = new Date(now.getTime() + ms);
}

/** One tab; all tabs of a test share the store and the lock. */
export function tab(more: Partial<QueueEnvironment> = {}): ClaimQueue {
  return new ClaimQueue({
    store: async () => store,
    alone: (work) => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
    notifyTabs: () => {},
    now: () => now,
    salt: () => String(++salt),
    ...more,
  });
}

export const claim = (certid: string) => ({ certid, target: TARGET, profile: null });
export const standings = (entries: readonly Entry[]) =>
  entries.map(({ certid, standing }) => [certid, standing]);
