/** The progress of a claim from the device's history, and the polling interval. */
import { describe, expect, test } from "vitest";
import {
  type ClaimStatus,
  claimProgress,
  type FollowedDevice,
  type HistoryEntry,
  pollAfter,
} from "../../../src/pages/claim/claim_progress";

const HERE = { account: "111111111111", region: "eu-west-1" };

/** `"claim>claimed 1.5"`: event, resulting state, and second. */
function history(...moments: string[]): HistoryEntry[] {
  return moments.map((text) => {
    const [, event, after, second] = /^(\w+)>(\w*) ([\d.]+)$/.exec(text) ?? [];
    const at = new Date(Date.UTC(2026, 0, 1) + Number(second) * 1000).toISOString();
    return { at, actor: "user:ada", event: event ?? "", after: after || null };
  });
}

function device(
  devstate: string,
  moments: HistoryEntry[] = [],
  target: typeof HERE | null = HERE,
): FollowedDevice {
  return {
    devstate,
    targetaccount: target?.account ?? null,
    targetregion: target?.region ?? null,
    history: moments,
  };
}

const steps = (of: FollowedDevice) =>
  claimProgress(of, HERE).steps.map(({ name, at, tookMs }) => [name, at !== null, tookMs]);

describe("the steps", () => {
  test("shows the durations for a device that was waiting", () => {
    const arrived = device(
      "arrived",
      history(
        "admit>knocking 0",
        "hello>inlobby 1",
        "claim>claimed 100",
        "commission>commissioned 100.4",
        "arrive>arrived 102",
      ),
    );
    expect(steps(arrived)).toEqual([
      ["Claimed", true, null],
      ["Commissioned", true, 400],
      ["Arrived", true, 1600],
    ]);
    expect(claimProgress(arrived, HERE).totalMs).toBe(2000);
  });

  test("adds a step for the presence code, without counting the user's time", () => {
    const moments = history("claim>proving 0", "mismatch>proving 5", "retire>proving 6");
    expect(steps(device("proving", moments))).toEqual([
      ["Claimed", true, null],
      ["Confirmed", false, null],
      ["Commissioned", false, null],
      ["Arrived", false, null],
    ]);
    expect(claimProgress(device("proving", moments), HERE).status).toBe("proving");
    const arrived = device("arrived", [
      ...moments,
      ...history("confirm>claimed 60", "commission>commissioned 60.5", "arrive>arrived 62"),
    ]);
    expect(steps(arrived)).toEqual([
      ["Claimed", true, null],
      ["Confirmed", true, null],
      ["Commissioned", true, 500],
      ["Arrived", true, 1500],
    ]);
    expect(claimProgress(arrived, HERE).totalMs).toBe(2000);
  });

  test("does not count the time that a device is unpowered", () => {
    const arrived = device(
      "arrived",
      history(
        "claim>expected 0",
        "admit>claimed 5000",
        "commission>commissioned 5001",
        "arrive>arrived 5003",
      ),
    );
    expect(steps(arrived)).toEqual([
      ["Claimed", true, null],
      ["Seen", true, null],
      ["Commissioned", true, 1000],
      ["Arrived", true, 2000],
    ]);
    expect(claimProgress(arrived, HERE).totalMs).toBe(3000);
  });

  test("includes a step for a device that was never seen", () => {
    expect(steps(device("expected", history("claim>expected 0")))).toEqual([
      ["Claimed", true, null],
      ["Seen", false, null],
      ["Commissioned", false, null],
      ["Arrived", false, null],
    ]);
  });

  test("counts the last of several attempts", () => {
    const retried = device(
      "commissioned",
      history("claim>claimed 0", "fail>failed 1", "retry>claimed 60", "commission>commissioned 60.5"),
    );
    expect(steps(retried)).toEqual([
      ["Claimed", true, null],
      ["Commissioned", true, 500],
      ["Arrived", false, null],
    ]);
  });

  test("ignores an earlier claim", () => {
    const again = device(
      "claimed",
      history(
        "claim>claimed 0",
        "commission>commissioned 1",
        "arrive>arrived 2",
        "release>inlobby 3",
        "claim>claimed 9",
      ),
    );
    expect(steps(again)).toEqual([
      ["Claimed", true, null],
      ["Commissioned", false, null],
      ["Arrived", false, null],
    ]);
  });

  test("shows no negative durations if clocks differ", () => {
    const odd = device("commissioned", history("claim>claimed 1", "commission>commissioned 0.9"));
    expect(steps(odd)[1]).toEqual(["Commissioned", true, 0]);
  });

  test("accepts a truncated or missing history", () => {
    expect(steps({ ...device("claimed"), history: null })).toHaveLength(3);
    expect(steps(device("arrived", history("arrive>arrived 1")))[0]).toEqual(["Claimed", false, null]);
  });
});

describe("status", () => {
  test.each<[string, FollowedDevice | null, ClaimStatus]>([
    ["expected", device("expected"), "unseen"],
    ["claimed", device("claimed"), "in progress"],
    ["commissioned", device("commissioned"), "in progress"],
    ["arrived", device("arrived"), "arrived"],
    ["proving", { ...device("proving"), showsCode: true }, "proving"],
    ["a client that cannot show codes", { ...device("proving"), showsCode: false }, "no code"],
    ["a code that is not shown", { ...device("proving"), reason: "CODE_NOT_SHOWN" }, "no code"],
    ["failed", device("failed"), "failed"],
    ["refused with its claim", device("refused"), "refused"],
    ["refused without", device("refused", [], null), "refused"],
    ["revoked", device("revoked", [], null), "revoked"],
    ["released", device("inlobby", [], null), "released"],
    ["released before it was seen", null, "released"],
    ["moved", device("arrived", [], { ...HERE, region: "eu-west-2" }), "other target"],
    ["a state of a later version", device("resting"), "released"],
  ])("%s", (_, of, status) => expect(claimProgress(of, HERE).status).toBe(status));
});

test.each<[ClaimStatus, number, number | null]>([
  ["in progress", 0, 1_000],
  ["in progress", 29_999, 1_000],
  ["in progress", 30_000, 5_000],
  ["unseen", 0, 1_000],
  ["unseen", 300_000, 30_000],
  ["failed", 0, 10_000],
  ["no code", 0, 10_000],
  ["other target", 0, 10_000],
  ["arrived", 0, null],
  ["revoked", 0, null],
])("%s for %i ms: polls again after %s", (status, since, pause) => {
  expect(pollAfter(status, since)).toBe(pause);
});
