/** The texts of campaigns: what they do, how far they are, how they ended, and the results as CSV. */
import { expect, test } from "vitest";
import type { Campaign, Result } from "../../../src/pages/campaigns/operations";
import {
  csvOf,
  endText,
  failureText,
  partsOf,
  previewOf,
  progressOf,
  shareOf,
  stateOf,
  waitOf,
  whatOf,
} from "../../../src/pages/campaigns/texts";
import { ROTTERDAM } from "../fixtures";
import { CAMPAIGN } from "./campaign_fixtures";

test.each([
  ["TARGET_LIMIT", "A quota of the target account is exhausted"],
  ["NOT_ALLOWED", "Not possible in this state"],
  ["UNKNOWN_DEVICE", "Unknown device"],
  ["INVENTED", "INVENTED"],
])("says what %s means", (code, want) => expect(failureText(code)).toBe(want));

test.each([
  ["2026-11-30T10:02:05.000Z", "in 2 min 5 s"],
  ["2026-11-30T10:00:00.500Z", "any moment"],
  ["2026-11-30T09:00:00.000Z", "any moment"],
])("the end %s is %s", (at, want) => expect(endText(at, new Date("2026-11-30T10:00:00Z"))).toBe(want));

test("shows failed devices apart from those that are done", () => {
  const counts = { ...CAMPAIGN.counts, failed: 20, refused: 30, superseded: 10, pending: 608 };
  expect(partsOf({ ...CAMPAIGN, counts }).map(({ name, share }) => [name, share])).toEqual([
    ["done", 32],
    ["waiting", 1.2],
    ["failed", 5],
    ["left", 1],
  ]);
  expect(partsOf({ ...CAMPAIGN, total: 0, counts: { ...counts, done: 0 } })).toHaveLength(3);
});

const nameOf = (key: string) => key;
const PLACE = `${ROTTERDAM.account}/${ROTTERDAM.region}`;

test.each([
  [{ operation: "CLAIM" }, `Claim 1,000 devices for ${PLACE}`],
  [{ operation: "RETRY", target: null, total: 1 }, "Retry 1 device"],
  [{ target: null, undoes: "x" }, "Move 1,000 devices, which undoes x"],
  [{ operation: "PREPARE", total: 5 }, `Prepare 5 devices of ${PLACE} in its standby`],
  [{ operation: "EVACUATE", total: 5 }, `Evacuate 5 devices from ${PLACE} to its standby`],
  [{ operation: "RETURN", total: 5 }, `Return 5 devices to ${PLACE}`],
  [{ operation: "DRILL", total: 1 }, `Drill: send 1 device from ${PLACE} to its standby`],
  [{ operation: "RENEW", target: null }, "Renew the certificates of 1,000 devices"],
])("says what it does: %o", (part, text) => {
  expect(whatOf({ ...CAMPAIGN, ...part } as Campaign, nameOf)).toBe(text);
});

test.each([
  [{ state: "approval" }, "Waits for the approval of a user other than ada"],
  [{ state: "stopped", stoppedBecause: "FAILURE_RATE" }, "Stopped: too many devices failed"],
  [{ state: "stopped", stoppedBecause: "NEW" }, "Stopped: NEW"],
  [{ canary: 5, canaryArrived: 2 }, "Canary: 2 of 5 arrived"],
  [{ canary: 50, canaryArrived: 2, total: 3 }, "Canary: 2 of 3 arrived"],
  [{ canary: 50, canaryArrived: 3, total: 3 }, undefined],
  [{ waitsFor: "the target is paused" }, "the target is paused"],
  [{ state: "done", waitsFor: "x" }, undefined],
])("says what it waits for: %o", (part, text) => {
  expect(waitOf({ ...CAMPAIGN, ...part } as Campaign)).toBe(text);
});

test.each([
  [{ done: 1_000 }, "done"],
  [{ done: 990, awaited: 10 }, "ended, not all arrived"],
  [{ done: 980, awaited: 10, failed: 10 }, "ended with failures"],
  [{ done: 990, refused: 10 }, "ended with failures"],
  [{ done: 990, unchanged: 10 }, "done"],
])("a campaign that has ended with %o is called %s", (part, label) => {
  const counts = { ...CAMPAIGN.counts, pending: 0, waiting: 0, ...part };
  expect(stateOf({ state: "done", counts }).label).toBe(label);
  expect(stateOf({ state: "running", counts }).label).toBe("running");
});

test("counts what has an outcome", () => {
  expect(shareOf(CAMPAIGN)).toBe(32);
  expect(shareOf({ ...CAMPAIGN, total: 0 })).toBe(100);
  expect(progressOf({ ...CAMPAIGN, counts: { ...CAMPAIGN.counts, pending: 0, waiting: 0, done: 0 } })).toBe(
    "No devices",
  );
});

test("a preview without refusals and time is short", () => {
  const preview = { changing: 1, unchanged: 2, refusals: [], seconds: 0 };
  expect(previewOf(preview as unknown as Parameters<typeof previewOf>[0])).toBe(
    "1 device will be changed · 2 already as requested",
  );
});

test("results are safe for spreadsheets", () => {
  const result = {
    certid: "1".repeat(64),
    outcome: "failed",
    code: "=1+1",
    previousTarget: { account: "012345678901", region: "eu-west-1" },
    previousProfile: "default",
    device: { certid: "1", devicename: "a,b", devstate: "failed", targetaccount: "1", targetregion: "x" },
  };
  const [, line] = csvOf([result as unknown as Result]).split("\r\n");
  expect(line).toContain('"a,b"');
  expect(line).toContain("'=1+1");
  expect(line).toContain("012345678901/eu-west-1");
});
