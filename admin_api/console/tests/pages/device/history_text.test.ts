/** The history as text. */
import { expect, test } from "vitest";
import type { Entry } from "../../../src/pages/device/device_query";
import {
  actorText,
  eventText,
  isCode,
  transitionText,
  waitBefore,
} from "../../../src/pages/device/history_text";

const entry = (more: Partial<Entry>): Entry => ({
  seq: 1,
  at: "2026-11-22T10:00:00.000Z",
  actor: "service:bouncer",
  event: "admit",
  before: null,
  after: "knocking",
  generation: 0,
  reason: null,
  target: null,
  ...more,
});

test.each<[Partial<Entry>, string]>([
  [{ event: "admit" }, "Admitted"],
  [{ event: "retire", before: "arrived", after: "arrived" }, "Previous target cleared"],
  [{ event: "retire", reason: "TARGET_UNREACHABLE" }, "Previous target could not be cleared"],
  [{ event: "retire", before: "refused", after: "refused" }, "May connect again"],
  [{ event: "retire", before: "proving", after: "proving" }, "Presence code sent"],
  [{ event: "mismatch", reason: "WRONG_CODE" }, "Wrong presence code"],
  [{ event: "confirm", after: "claimed" }, "Presence code confirmed"],
  [{ event: "retry", after: "proving" }, "New presence code requested"],
  [{ event: "deactivate" }, "Orphaned certificate deactivated"],
  [{ event: "deactivate", reason: "TRANSFER_ENDED" }, "Transfer over: certificate deactivated in this lobby"],
  [{ event: "teleport" }, "teleport"],
])("%j is %s", (more, text) => {
  expect(eventText(entry(more))).toBe(text);
});

test.each<[Partial<Entry>, string | null]>([
  [{ before: null, after: "knocking" }, "Unknown → Connecting"],
  [{ before: "inlobby", after: "claimed" }, "Waiting → Claimed"],
  [{ before: "expected", after: null }, "Expected → Removed"],
  [{ before: "arrived", after: "arrived" }, null],
])("%j leads %s", (more, text) => {
  expect(transitionText(entry(more))).toBe(text);
});

test("names actors without their kind", () => {
  expect(["service:commissioner", "user:anna", "user:service:x"].map(actorText)).toEqual([
    "commissioner",
    "anna",
    "service:x",
  ]);
});

test("distinguishes a code from free text", () => {
  expect(isCode("TARGET_LIMIT")).toBe(true);
  expect(isCode("stolen in Antwerp")).toBe(false);
});

test("measures the time since the previous entry", () => {
  const entries = [entry({}), entry({ at: "2026-11-22T10:00:02.500Z" })];
  expect(waitBefore(entries, 0)).toBeNull();
  expect(waitBefore(entries, 1)).toBe(2_500);
});
