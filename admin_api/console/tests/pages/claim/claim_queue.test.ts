/** The claim queue: what is stored when, the effect of a lost network, and the order of claims. */
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../src/pages/claim/queue/entry";
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
    expect(queue.claims()).toMatchObject({ sending: null, lastFailure: { code: "UNREACHABLE" } });
    const reopened = tab();
    const sent: string[] = [];
    await reopened.send("ada", async ({ certid }) => {
      sent.push(certid);
      return SENT;
    });
    expect(sent).toEqual([A]);
    expect(reopened.claims().lastFailure).toBeNull();
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
    advance(1);
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
    advance(1);
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
    advance(1);
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
