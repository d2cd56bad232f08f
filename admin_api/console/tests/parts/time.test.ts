/** Times and durations, at every boundary between units. */
import { describe, expect, test } from "vitest";
import { day, utcDay } from "../../src/parts/day";
import { ago, ahead, duration } from "../../src/parts/time";

const NOW = new Date("2026-11-22T12:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("a day has no time and is not in ISO 8601", () => {
  const at = "2026-12-24T11:30:00.000Z";
  expect(day(at)).toMatch(/2026/);
  expect(day(at)).not.toMatch(/2026-12-24|30/);
  expect(utcDay("2026-12-24T00:00:00.000Z")).toMatch(/24.*2026|2026.*24/);
});

describe("ago", () => {
  test.each([
    [0, "just now"],
    [9 * SECOND, "just now"],
    [10 * SECOND, "10 sec. ago"],
    [59 * SECOND, "59 sec. ago"],
    [MINUTE, "1 min. ago"],
    [59 * MINUTE, "59 min. ago"],
    [HOUR, "1 hr. ago"],
    [23 * HOUR, "23 hr. ago"],
    [DAY, "yesterday"],
    [40 * DAY, "40 days ago"],
    [-30 * SECOND, "just now"],
  ])("%i ms: %s", (elapsed, want) => {
    expect(ago(new Date(NOW.getTime() - elapsed), NOW)).toBe(want);
  });
});

test.each([
  [30 * SECOND, "in 30 sec."],
  [16 * MINUTE, "in 16 min."],
  [DAY, "tomorrow"],
  [14 * DAY, "in 14 days"],
  [-2 * HOUR, "2 hr. ago"],
  [0, "just now"],
])("a planned time %i ms ahead is %s", (left, want) => {
  expect(ahead(new Date(NOW.getTime() + left), NOW)).toBe(want);
});

test("a time ahead of the clock is exact, not just now", () => {
  expect(ago(new Date(NOW.getTime() + 16 * MINUTE), NOW)).toMatch(/2026.*\d:16:00/);
});

describe("duration", () => {
  test.each([
    [-1, "0.0 s"],
    [0, "0.0 s"],
    [840, "0.8 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [59_499, "59 s"],
    [59_500, "1 min 0 s"],
    [119_700, "2 min 0 s"],
    [3 * MINUTE + 5 * SECOND, "3 min 5 s"],
    [HOUR - SECOND, "59 min 59 s"],
    [HOUR, "1 h 0 min"],
    [DAY - MINUTE, "23 h 59 min"],
    [3 * DAY + 4 * HOUR, "3 d 4 h"],
  ])("%i ms: %s", (milliseconds, want) => {
    expect(duration(milliseconds)).toBe(want);
  });
});
