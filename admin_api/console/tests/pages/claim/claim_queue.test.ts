/** The queue on a real IndexedDB (in memory): what is written when, what a lost network and a second tab do to it. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, test } from "vitest";
import { ClaimQueue, type Doors } from "../../../src/pages/claim/queue/claim_queue";
import { type Entry, heldFor, madeOf, type Outcome } from "../../../src/pages/claim/queue/entry";
import { openShelf, passingShelf, type Shelf } from "../../../src/pages/claim/queue/shelf";

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
let shelf: Shelf;

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  now = new Date("2026-05-01T10:00:00Z");
  salt = 0;
  turn = Promise.resolve();
  shelf = await openShelf();
});

/** One tab; all of a test share the shelf and the lock. */
function tab(more: Partial<Doors> = {}): ClaimQueue {
  return new ClaimQueue({
    shelf: async () => shelf,
    alone: (work) => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    },
    tellOthers: () => {},
    now: () => now,
    salt: () => String(++salt),
    ...more,
  });
}

const wish = (certid: string) => ({ certid, target: TARGET, profile: null });
const standings = (entries: readonly Entry[]) => entries.map(({ certid, standing }) => [certid, standing]);

describe("a claim", () => {
  test("is on the shelf before it is sent, and has its answer there after", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    const during: Entry[][] = [];
    const result = await queue.send("ada", async () => {
      during.push(await shelf.all());
      return SENT;
    });
    expect(result).toBe("done");
    expect(during[0]).toMatchObject([{ certid: A, standing: "waiting", by: "ada", tries: 1 }]);
    expect(await shelf.all()).toMatchObject([{ certid: A, standing: "sent", sentAt: now.toISOString() }]);
  });

  test("that got no answer stays, and is sent again by a page that is opened later", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
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

  test("whose page dies while it is being sent is still waiting", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await expect(
      queue.send("ada", async () => {
        throw new Error("the battery");
      }),
    ).rejects.toThrow("the battery");
    expect(await shelf.all()).toMatchObject([{ standing: "waiting" }]);
    expect(queue.claims().sending).toBeNull();
  });

  test("that is refused stays with its reason until it is dismissed", async () => {
    const queue = tab();
    await queue.add([wish(A), wish(B)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? REFUSED : SENT));
    expect(standings(queue.claims().entries)).toEqual([
      [A, "refused"],
      [B, "sent"],
    ]);
    expect(queue.claims().entries[0]?.refusal?.failure.code).toBe("FORBIDDEN");
    await queue.remove(queue.claims().entries[0]?.id ?? "");
    expect(standings(await shelf.all())).toEqual([[B, "sent"]]);
  });

  test("that was refused can be sent again", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await queue.send("ada", async () => REFUSED);
    await queue.sendAgain(queue.claims().entries[0]?.id ?? "", "ada");
    expect(queue.claims().entries).toMatchObject([{ standing: "waiting" }]);
    expect(queue.claims().entries[0]?.refusal).toBeUndefined();
  });

  test("made anew takes the place of its refusal, and of no other's", async () => {
    const queue = tab();
    await queue.add([wish(A), wish(B)], "ada");
    await queue.send("ada", async () => REFUSED);
    now = new Date(now.getTime() + 1);
    await queue.add([wish(A)], "ada");
    expect(standings(queue.claims().entries)).toEqual([
      [B, "refused"],
      [A, "waiting"],
    ]);
  });
});

describe("two claims of one device that wait", () => {
  const ELSEWHERE = { account: "222222222222", region: "us-east-1" };
  const regions = (entries: readonly Entry[]) => entries.map(({ by, target }) => [by, target.region]);
  const later = () => {
    now = new Date(now.getTime() + 1);
  };

  test("and want the same are one", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    const [first] = queue.claims().entries;
    later();
    await tab().add([wish(A), wish(B)], "ada");
    await queue.load();
    expect(standings(await shelf.all())).toEqual([
      [A, "waiting"],
      [B, "waiting"],
    ]);
    expect(queue.claims().entries[0]?.id).toBe(first?.id);
  });

  test("are the later one, where the first never left the phone", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    later();
    await queue.add([{ ...wish(A), target: ELSEWHERE }], "ada");
    expect(regions(await shelf.all())).toEqual([["ada", "us-east-1"]]);
  });

  test("are both sent, where the first may have been carried out", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await queue.send("ada", async () => LATER);
    later();
    await queue.add([{ ...wish(A), target: ELSEWHERE }], "ada");
    expect(regions(await shelf.all())).toEqual([
      ["ada", "eu-west-1"],
      ["ada", "us-east-1"],
    ]);
  });

  test("are left as they are while the first is on its way", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    later();
    await queue.send("ada", async ({ target }) => {
      if (target.region === TARGET.region) await queue.add([{ ...wish(A), target: ELSEWHERE }], "ada");
      return SENT;
    });
    expect(standings(await shelf.all())).toEqual([
      [A, "sent"],
      [A, "sent"],
    ]);
  });

  test("of two people are two, until one takes the other's over", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    later();
    await queue.add([wish(A)], "bob");
    expect(regions(await shelf.all())).toHaveLength(2);
    await queue.sendAgain(queue.claims().entries[1]?.id ?? "", "ada");
    expect(regions(await shelf.all())).toEqual([["ada", "eu-west-1"]]);
  });
});

describe("order", () => {
  test("is that in which claims were made, also within one photo", async () => {
    const queue = tab();
    await queue.add([wish(C), wish(A)], "ada");
    now = new Date(now.getTime() + 1);
    await queue.add([wish(B)], "ada");
    const sent: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([C, A, B]);
  });

  test("a lost network stops at the first one; nothing overtakes it", async () => {
    const queue = tab();
    await queue.add([wish(A), wish(B)], "ada");
    const tried: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      tried.push(certid);
      return LATER;
    });
    expect(tried).toEqual([A]);
  });

  test("a claim that is made while others are sent goes with them", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    const sent: string[] = [];
    await queue.send("ada", async ({ certid }) => {
      if (certid === A) await queue.add([wish(B)], "ada");
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([A, B]);
  });
});

describe("tabs", () => {
  test("two that send at once send each claim once", async () => {
    const [one, two] = [tab(), tab()];
    await one.add([wish(A), wish(B), wish(C)], "ada");
    const sent: string[] = [];
    const deliver = async ({ certid }: Entry) => {
      sent.push(certid);
      return SENT;
    };
    await Promise.all([one.send("ada", deliver), two.send("ada", deliver)]);
    expect(sent).toEqual([A, B, C]);
  });

  test("what one removes, the other does not send", async () => {
    const [one, two] = [tab(), tab()];
    await one.add([wish(A)], "ada");
    await two.load();
    await one.remove(one.claims().entries[0]?.id ?? "");
    const sent: string[] = [];
    await two.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([]);
  });

  test("are told of every change", async () => {
    let told = 0;
    const queue = tab({ tellOthers: () => told++ });
    await queue.add([wish(A)], "ada");
    await queue.send("ada", async () => SENT);
    expect(told).toBe(2);
  });
});

describe("people", () => {
  test("nobody's claim is sent in another's name", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await queue.add([wish(B)], null);
    expect(
      await queue.send("ben", async () => {
        throw new Error("got a claim to send, want none");
      }),
    ).toBe("done");
    expect(heldFor(queue.claims().entries, "ben")).toHaveLength(2);
    expect(heldFor(queue.claims().entries, "ada")).toMatchObject([{ certid: B }]);
  });

  test("unless they say so: then it is theirs", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await queue.sendAgain(queue.claims().entries[0]?.id ?? "", "ben");
    const senders: (string | null)[] = [];
    await queue.send("ben", async ({ by }) => {
      senders.push(by);
      return SENT;
    });
    expect(senders).toEqual(["ben"]);
  });

  test("a device counts as claimed for who claimed it, unless it was refused", async () => {
    const queue = tab();
    await queue.add([wish(A), wish(B)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? REFUSED : SENT));
    const { entries } = queue.claims();
    expect(madeOf(entries, wish(A), "ada", now)).toBeUndefined();
    expect(madeOf(entries, wish(B), "ada", now)).toMatchObject({ certid: B });
    expect(madeOf(entries, wish(B), "ben", now)).toBeUndefined();
  });

  test("may be claimed again for another target, and after a while for the same: it may be released by then", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    const elsewhere = { ...wish(A), target: { ...TARGET, region: "us-west-2" } };
    expect(madeOf(queue.claims().entries, elsewhere, "ada", now)).toMatchObject({ standing: "waiting" });
    await queue.send("ada", async () => SENT);
    const { entries } = queue.claims();
    expect(madeOf(entries, elsewhere, "ada", now)).toBeUndefined();
    expect(madeOf(entries, wish(A), "ada", new Date(now.getTime() + 11 * 60_000))).toBeUndefined();
  });
});

describe("keeping", () => {
  test("what was sent goes after a working day, what was not never does", async () => {
    const queue = tab();
    await queue.add([wish(A), wish(B), wish(C)], "ada");
    await queue.send("ada", async ({ certid }) => (certid === A ? SENT : certid === B ? REFUSED : LATER));
    now = new Date(now.getTime() + 365 * 86_400_000);
    await queue.load();
    expect(standings(queue.claims().entries)).toEqual([
      [B, "refused"],
      [C, "waiting"],
    ]);
  });

  test("the one on its way cannot be removed under it", async () => {
    const queue = tab();
    await queue.add([wish(A)], "ada");
    await queue.send("ada", async ({ id }) => {
      expect(queue.claims().sending).toBe(id);
      await queue.remove(id);
      return LATER;
    });
    expect(await shelf.all()).toHaveLength(1);
  });

  test("a phone that cannot write says so, and shows no claim that it does not have", async () => {
    const full: Shelf = {
      ...shelf,
      put: () => Promise.reject(new DOMException("full", "QuotaExceededError")),
    };
    const queue = tab({ shelf: async () => full });
    await expect(queue.add([wish(A)], "ada")).rejects.toThrow("full");
    expect(queue.claims().entries).toEqual([]);
  });

  test("a browser without IndexedDB gets a shelf that admits it", async () => {
    // @ts-expect-error: as some browsers are in private windows
    globalThis.indexedDB = undefined;
    const passing = await openShelf();
    expect(passing.lasting).toBe(false);
    const queue = tab({ shelf: async () => passingShelf() });
    await queue.add([wish(A)], "ada");
    expect(queue.claims()).toMatchObject({ lasting: false, entries: [{ certid: A }] });
  });
});
