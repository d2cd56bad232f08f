/** The history in words that need no manual. */
import { expect, test } from "vitest";
import type { Entry } from "../../../src/pages/device/device_query";
import {
  actorWords,
  eventWords,
  isCode,
  passageWords,
  waitBefore,
} from "../../../src/pages/device/history_words";

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
  [{ event: "admit" }, "Let in"],
  [{ event: "retire", before: "arrived", after: "arrived" }, "Cleared up behind it"],
  [{ event: "retire", reason: "TARGET_UNREACHABLE" }, "Could not be cleared up behind it"],
  [{ event: "retire", before: "refused", after: "refused" }, "May knock again"],
  [{ event: "retire", before: "proving", after: "proving" }, "Told its code"],
  [{ event: "mismatch", reason: "WRONG_CODE" }, "A wrong code was tried"],
  [{ event: "confirm", after: "claimed" }, "Its code was confirmed"],
  [{ event: "retry", after: "proving" }, "Given a new code"],
  [{ event: "teleport" }, "teleport"],
])("%j is %s", (more, words) => {
  expect(eventWords(entry(more))).toBe(words);
});

test.each<[Partial<Entry>, string | null]>([
  [{ before: null, after: "knocking" }, "Unknown → Knocking"],
  [{ before: "inlobby", after: "claimed" }, "In the lobby → Claimed"],
  [{ before: "expected", after: null }, "Expected → Forgotten"],
  [{ before: "arrived", after: "arrived" }, null],
])("%j leads %s", (more, words) => {
  expect(passageWords(entry(more))).toBe(words);
});

test("actors are named without their kind", () => {
  expect(["service:commissioner", "user:anna", "user:service:x"].map(actorWords)).toEqual([
    "commissioner",
    "anna",
    "service:x",
  ]);
});

test("a code is told from what somebody wrote", () => {
  expect(isCode("TARGET_LIMIT")).toBe(true);
  expect(isCode("stolen in Antwerp")).toBe(false);
});

test("the time since the entry before is known for all but the first", () => {
  const entries = [entry({}), entry({ at: "2026-11-22T10:00:02.500Z" })];
  expect(waitBefore(entries, 0)).toBeNull();
  expect(waitBefore(entries, 1)).toBe(2_500);
});
