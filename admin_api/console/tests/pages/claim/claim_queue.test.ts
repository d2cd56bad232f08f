/**
 * The claim queue on IndexedDB (in memory): what is stored when, and the effect of a lost network and of a
 * second tab.
 */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, test } from "vitest";
import { ClaimQueue, type QueueEnvironment } from "../../../src/pages/claim/queue/claim_queue";
import {
  type ClaimStore,
  memoryClaimStore,
  openClaimStore,
} from "../../../src/pages/claim/queue/claim_store";
import {
  claimsOfOthers,
  type Entry,
  existingClaim,
  type Outcome,
} from "../../../src/pages/claim/queue/entry";

const TARGET = { account: "111111111111", region: "eu-west-1" };
const [A, B, C] = ["aa".repeat(32), "bb".repeat(32), "cc".repeat(32)] as [string, string, string];
const SENT: Outcome = { is: "sent" };
const LATER: Outcome = { is: "later", hindrance: { code: "UNREACHABLE", message: "no answer" } };
const REFUSED: Outcome = {
  is: "refused",
  refusal: { failure: { code: "FORBIDDEN", message: "got it, want another" } },
};

let now: Date;
let salt: number;
let turn: Promise<unknown>;
let store: ClaimStore;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  now = new Date("2026-05-01T10:00:00Z");
  salt = 0;
  turn = Promise.resolve();
  store = await openClaimStore();
});

/** One tab; all tabs of a test share the store and the lock. */
function tab(more: Partial<QueueEnvironment> = {}): ClaimQueue {
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

const claim = (certid: string) => ({ certid, target: TARGET, profile: null });
const standings = (entries: readonly Entry[]) => entries.map(({ certid, standing }) => [certid, standing]);

describe("a claim", () => {
  test("is stored before it is sent, and its result is stored afterwards", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    const during: Entry[][] = [];
    const result = await queue.send("ada", async () => {
      during.push(await store.all());
      return SENT;
    });
    expect(result).toBe("done");
    expect(during[0]).toMatchObject([{ certid: A, standing: "waiting", by: "ada", tries: 1 }]);
    expect(await store.all()).toMatchObject([{ certid: A, standing: "sent", sentAt: now.toISOString() }]);
  });

  test("is kept without a response, and sent by a page that opens later", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    expect(await queue.send("ada", async () => LATER)).toBe("later");
    expect(queue.claims()).toMatchObject({ sending: null, hindrance: { code: "UNREACHABLE" } });
    const reopened = tab();
    const sent: string[] = [];
    await reopened.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([A]);
    expect(reopened.claims().hindrance).toBeNull();
  });

  test("is kept if the page dies while sending", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await expect(
      queue.send("ada", async () => {
        throw new Error("the battery");
      }),
    ).rejects.toThrow("the battery");
    expect(await store.all()).toMatchObject([{ standing: "waiting" }]);
    expect(queue.claims().sending).toBeNull();
  });

  test("is kept with its reason after a rejection, until it is dismissed", async () => {
    const queue = tab();
    await queue.add([claim(A), claim(B)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? REFUSED : SENT));
    expect(standings(queue.claims().entries)).toEqual([
      [A, "refused"],
      [B, "sent"],
    ]);
    expect(queue.claims().entries[0]?.refusal?.failure.code).toBe("FORBIDDEN");
    await queue.remove(queue.claims().entries[0]?.id ?? "");
    expect(standings(await store.all())).toEqual([[B, "sent"]]);
  });

  test("can be sent again after a rejection", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await queue.send("ada", async () => REFUSED);
    await queue.sendAgain(queue.claims().entries[0]?.id ?? "", "ada");
    expect(queue.claims().entries).toMatchObject([{ standing: "waiting" }]);
    expect(queue.claims().entries[0]?.refusal).toBeUndefined();
  });

  test("replaces an earlier rejection of the same device only", async () => {
    const queue = tab();
    await queue.add([claim(A), claim(B)], "ada");
    await queue.send("ada", async () => REFUSED);
    now = new Date(now.getTime() + 1);
    await queue.add([claim(A)], "ada");
    expect(standings(queue.claims().entries)).toEqual([
      [B, "refused"],
      [A, "waiting"],
    ]);
  });
});

describe("two waiting claims of one device", () => {
  const ELSEWHERE = { account: "222222222222", region: "us-east-1" };
  const regions = (entries: readonly Entry[]) => entries.map(({ by, target }) => [by, target.region]);
  const later = () => {
    now = new Date(now.getTime() + 1);
  };

  test("are merged if they are equal", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    const [first] = queue.claims().entries;
    later();
    await tab().add([claim(A), claim(B)], "ada");
    await queue.load();
    expect(standings(await store.all())).toEqual([
      [A, "waiting"],
      [B, "waiting"],
    ]);
    expect(queue.claims().entries[0]?.id).toBe(first?.id);
  });

  test("keep the later one if the first was never sent", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    later();
    await queue.add([{ ...claim(A), target: ELSEWHERE }], "ada");
    expect(regions(await store.all())).toEqual([["ada", "us-east-1"]]);
  });

  test("keep both if the first may have taken effect", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    await queue.send("ada", async () => LATER);
    later();
    await queue.add([{ ...claim(A), target: ELSEWHERE }], "ada");
    expect(regions(await store.all())).toEqual([
      ["ada", "eu-west-1"],
      ["ada", "us-east-1"],
    ]);
  });

  test("are kept while the first is being sent", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    later();
    await queue.send("ada", async ({ target }) => {
      if (target.region === TARGET.region) await queue.add([{ ...claim(A), target: ELSEWHERE }], "ada");
      return SENT;
    });
    expect(standings(await store.all())).toEqual([
      [A, "sent"],
      [A, "sent"],
    ]);
  });

  test("of two users stay separate until one user takes over the other's", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    later();
    await queue.add([claim(A)], "bob");
    expect(regions(await store.all())).toHaveLength(2);
    await queue.sendAgain(queue.claims().entries[1]?.id ?? "", "ada");
    expect(regions(await store.all())).toEqual([["ada", "eu-west-1"]]);
  });
});

describe("order", () => {
  test("is the order in which claims were made, also within one photo", async () => {
    const queue = tab();
    await queue.add([claim(C), claim(A)], "ada");
    now = new Date(now.getTime() + 1);
    await queue.add([claim(B)], "ada");
    const sent: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([C, A, B]);
  });

  test("stops at the first claim when the network is lost", async () => {
    const queue = tab();
    await queue.add([claim(A), claim(B)], "ada");
    const attempted: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      attempted.push(certid);
      return LATER;
    });
    expect(attempted).toEqual([A]);
  });

  test("includes claims that are made while others are sent", async () => {
    const queue = tab();
    await queue.add([claim(A)], "ada");
    const sent: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      if (certid === A) await queue.add([claim(B)], "ada");
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([A, B]);
  });
});

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
    let told = 0;
    const queue = tab({ notifyTabs: () => told++ });
    await queue.add([claim(A)], "ada");
    await queue.send("ada", async () => SENT);
    expect(told).toBe(2);
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
    now = new Date(now.getTime() + 365 * 86_400_000);
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
