/** The claim queue shared by tabs and users, and how long claims are kept. */
import { describe, expect, test } from "vitest";
import {
  type ClaimStore,
  memoryClaimStore,
  openClaimStore,
} from "../../../src/pages/claim/queue/claim_store";
import { claimsOfOthers, type Entry, existingClaim } from "../../../src/pages/claim/queue/entry";
import {
  A,
  advance,
  B,
  C,
  claim,
  LATER,
  now,
  REFUSED,
  SENT,
  standings,
  store,
  TARGET,
  tab,
} from "./claim_queue_fixtures";

describe("tabs", () => {
  test("two tabs that send at once send each claim once", async () => {
    const [one, two] = [tab(), tab()];
    await one.add([claim(A), claim(B), claim(C)], "ada");
    const sent: string[] = [];
    const deliver = async ({ certid }: Entry) => {
      sent.push(certid);
      return SENT;
    };
    await Promise.all([one.send("ada", deliver), two.send("ada", deliver)]);
    expect(sent).toEqual([A, B, C]);
  });

  test("do not send what another tab removed", async () => {
    const [one, two] = [tab(), tab()];
    await one.add([claim(A)], "ada");
    await two.load();
    await one.remove(one.claims().entries[0]?.id ?? "");
    const sent: string[] = [];
    await two.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([]);
  });

  test("are notified of every change", async () => {
    let notified = 0;
    const queue = tab({ notifyTabs: () => notified++ });
    await queue.add([claim(A)], "ada");
    await queue.send("ada", async () => SENT);
    expect(notified).toBe(2);
  });
});

describe("users", () => {
  test("are never used to send each other's claims", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await queue.add([claim(B)], null);
    expect(
      await queue.send("ben", async () => {
        throw new Error("got a claim to send, want none");
      }),
    ).toBe("done");
    expect(claimsOfOthers(queue.claims().entries, "ben")).toHaveLength(2);
    expect(claimsOfOthers(queue.claims().entries, "ada")).toMatchObject([{ certid: B }]);
  });

  test("can take over a claim with consent", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await queue.sendAgain(queue.claims().entries[0]?.id ?? "", "ben");
    const senders: (string | null)[] = [];
    await queue.send("ben", async ({ by }) => {
      senders.push(by);
      return SENT;
    });
    expect(senders).toEqual(["ben"]);
  });

  test("have claimed a device only if the claim was not rejected", async () => {
    const queue = tab();
    await queue.add([claim(A), claim(B)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? REFUSED : SENT));
    const { entries } = queue.claims();
    expect(existingClaim(entries, claim(A), "ada", now)).toBeUndefined();
    expect(existingClaim(entries, claim(B), "ada", now)).toMatchObject({ certid: B });
    expect(existingClaim(entries, claim(B), "ben", now)).toBeUndefined();
  });

  test("may claim again for another target, and for the same target after a while", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    const elsewhere = { ...claim(A), target: { ...TARGET, region: "us-west-2" } };
    expect(existingClaim(queue.claims().entries, elsewhere, "ada", now)).toMatchObject({
      standing: "waiting",
    });
    await queue.send("ada", async () => SENT);
    const { entries } = queue.claims();
    expect(existingClaim(entries, elsewhere, "ada", now)).toBeUndefined();
    expect(existingClaim(entries, claim(A), "ada", new Date(now.getTime() + 11 * 60_000))).toBeUndefined();
  });
});

describe("retention", () => {
  test("removes sent claims after a working day, and keeps unsent ones", async () => {
    const queue = tab();
    await queue.add([claim(A), claim(B), claim(C)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? SENT : certid === B ? REFUSED : LATER));
    advance(365 * 86_400_000);
    await queue.load();
    expect(standings(queue.claims().entries)).toEqual([
      [B, "refused"],
      [C, "waiting"],
    ]);
  });

  test("keeps a claim that is being sent", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await queue.send("ada", async ({ id }) => {
      expect(queue.claims().sending).toBe(id);
      await queue.remove(id);
      return LATER;
    });
    expect(await store.all()).toHaveLength(1);
  });

  test("reports a full store, and shows no claim that was not stored", async () => {
    const full: ClaimStore = {
      ...store,
      put: () => Promise.reject(new DOMException("full", "QuotaExceededError")),
    };
    const queue = tab({ store: async () => full });
    await expect(queue.add([claim(A)], "ada")).rejects.toThrow("full");
    expect(queue.claims().entries).toEqual([]);
  });

  test("falls back to memory without IndexedDB, and reports it", async () => {
    // @ts-expect-error: as some browsers are in private windows
    globalThis.indexedDB = undefined;
    const passing = await openClaimStore();
    expect(passing.persistent).toBe(false);
    const queue = tab({ store: async () => memoryClaimStore() });
    await queue.add([claim(A)], "ada");
    expect(queue.claims()).toMatchObject({ persistent: false, entries: [{ certid: A }] });
  });
});
