/** The outcome of each API response to a claim. */
import { describe, expect, test } from "vitest";
import { deliverBy } from "../../../src/pages/claim/queue/deliver";
import type { Entry } from "../../../src/pages/claim/queue/entry";
import { type Answer, FakeApi, LOST, Refusal } from "../../fake_api";

const CERTID = "aa".repeat(32);
const TARGET = { account: "111111111111", region: "eu-west-1" };
const ENTRY: Entry = {
  id: "1",
  certid: CERTID,
  target: TARGET,
  profile: null,
  by: "ada",
  madeAt: "2026-05-01T10:00:00Z",
  standing: "waiting",
  tries: 0,
};
const TAKEN = new Refusal(
  "ALREADY_CLAIMED",
  "got a claim for a device that is arrived, want move or release first",
  {
    claimDevice: null,
  },
);

function holder(more: object = {}) {
  return {
    device: {
      certid: CERTID,
      targetaccount: TARGET.account,
      targetregion: TARGET.region,
      profile: "default",
      claimedBy: "user:ada",
      claimedAt: "2026-05-01T09:00:00Z",
      ...more,
    },
  };
}

function delivered(answers: Record<string, Answer>, entry: Partial<Entry> = {}) {
  const api = new FakeApi(answers);
  return { api, outcome: deliverBy(api.client)({ ...ENTRY, ...entry }) };
}

test("sends the device, target and profile", async () => {
  const { api, outcome } = delivered(
    { ClaimLabel: { claimDevice: { certid: CERTID } } },
    { profile: "gateway" },
  );
  expect(await outcome).toEqual({ is: "sent" });
  expect(api.variablesOf("ClaimLabel")).toEqual([{ certid: CERTID, target: TARGET, profile: "gateway" }]);
});

test.each<[string, Answer]>([
  ["the network is lost", LOST],
  ["the session has ended", new Refusal("UNAUTHENTICATED", "got a token that has run out")],
])("if %s, sends later", async (_, answer) => {
  expect(await delivered({ ClaimLabel: answer }).outcome).toMatchObject({ is: "later" });
});

test.each(["FORBIDDEN", "UNKNOWN_TARGET", "UNKNOWN_PROFILE", "REVOKED", "NOT_ALLOWED"])(
  "reports %s as rejected with the API's message",
  async (code) => {
    const { outcome } = delivered({ ClaimLabel: new Refusal(code, "got this, want that") });
    expect(await outcome).toEqual({
      is: "refused",
      refusal: { failure: { code, message: "got this, want that" } },
    });
  },
);

describe("an internal error", () => {
  const fault = {
    ClaimLabel: new Refusal("INTERNAL", "went wrong on our side"),
    ClaimMade: { device: null },
  };

  test.each([0, 1, 4])("is sent later after %i attempts", async (tries) => {
    expect(await delivered(fault, { tries }).outcome).toMatchObject({ is: "later" });
  });

  test("is rejected if it persists", async () => {
    expect(await delivered(fault, { tries: 5 }).outcome).toMatchObject({ is: "refused" });
  });
});

describe("a claim that was attempted before", () => {
  const past = {
    at: "2026-05-01T10:00:05Z",
    actor: "user:ada",
    event: "claim",
    target: "111111111111/eu-west-1",
  };
  const again = (history: object[]) =>
    delivered(
      { ClaimMade: { device: { certid: CERTID, history } }, ClaimLabel: { claimDevice: { certid: CERTID } } },
      { tries: 1 },
    );

  test("counts as sent if the history contains it, even if it was released since", async () => {
    const { api, outcome } = again([past, { ...past, event: "release", actor: "user:ben" }]);
    expect(await outcome).toEqual({ is: "sent" });
    expect(api.variablesOf("ClaimLabel")).toEqual([]);
  });

  test.each<[string, object]>([
    ["another user", { actor: "user:ben" }],
    ["another target", { target: "222222222222/eu-west-1" }],
    ["an earlier day", { at: "2026-04-30T10:00:00Z" }],
    ["another event", { event: "release" }],
  ])("is sent if the history only contains %s", async (_, other) => {
    const { api, outcome } = again([{ ...past, ...other }]);
    expect(await outcome).toEqual({ is: "sent" });
    expect(api.variablesOf("ClaimLabel")).toHaveLength(1);
  });

  test("waits if the history cannot be loaded", async () => {
    expect(await delivered({ ClaimMade: LOST }, { tries: 1 }).outcome).toMatchObject({ is: "later" });
  });
});

describe("claimed already", () => {
  const taken = (device: object, entry: Partial<Entry> = {}) =>
    delivered({ ClaimLabel: TAKEN, Holder: device }, entry).outcome;

  test("by the same user for the same target counts as sent", async () => {
    expect(await taken(holder())).toEqual({ is: "sent" });
    expect(await taken(holder(), { profile: "default" })).toEqual({ is: "sent" });
  });

  test.each<[string, object, Partial<Entry>]>([
    ["by another user", holder({ claimedBy: "user:ben" }), {}],
    ["for another target", holder({ targetregion: "eu-west-2" }), {}],
    ["with another profile", holder(), { profile: "gateway" }],
    ["by an unknown user", holder({ claimedBy: null }), { by: null }],
  ])("%s is rejected and names the holder", async (_, device, entry) => {
    const outcome = await taken(device, entry);
    expect(outcome).toMatchObject({
      is: "refused",
      refusal: {
        failure: { code: "ALREADY_CLAIMED" },
        holder: { at: "2026-05-01T09:00:00Z", target: { account: TARGET.account } },
      },
    });
  });

  test("by a device that is gone is rejected without a holder's name", async () => {
    expect(await taken({ device: null })).toMatchObject({
      is: "refused",
      refusal: { holder: { by: null, at: null, target: null } },
    });
  });

  test("is sent later if the network is lost before the holder is known", async () => {
    const { outcome } = delivered({ ClaimLabel: TAKEN, Holder: LOST });
    expect(await outcome).toMatchObject({ is: "later" });
  });
});
