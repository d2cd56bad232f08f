/** Clicks, ranges and limits of a selection. */
import { expect, test } from "vitest";
import {
  all,
  among,
  clicked,
  MAX_SELECTED,
  NONE,
  type Selection,
} from "../../../src/pages/waiting/selection";

const ORDER = ["a", "b", "c", "d", "e"];
const chosen = ({ chosen }: Selection) => [...chosen].sort();

test("a click selects, another one takes it back", () => {
  const one = clicked(NONE, "b", ORDER, false);
  expect(chosen(one)).toEqual(["b"]);
  expect(chosen(clicked(one, "b", ORDER, false))).toEqual([]);
});

test.each([
  ["b", "d", ["b", "c", "d"]],
  ["d", "b", ["b", "c", "d"]],
  ["c", "c", []],
])("with the shift key all from %s to %s become as the last one", (from, to, want) => {
  expect(chosen(clicked(clicked(NONE, from, ORDER, false), to, ORDER, true))).toEqual(want);
});

test("a range takes back, too", () => {
  const some = { ...all(ORDER), anchor: "a" };
  expect(chosen(clicked(some, "c", ORDER, true))).toEqual(["d", "e"]);
});

test("a range without a beginning, or from one who has left, is a click", () => {
  expect(chosen(clicked(NONE, "c", ORDER, true))).toEqual(["c"]);
  expect(chosen(clicked({ chosen: new Set(["z"]), anchor: "z" }, "c", ORDER, true))).toEqual(["c", "z"]);
});

test("no more are selected than one claim takes", () => {
  const many = Array.from({ length: MAX_SELECTED + 5 }, (_, index) => String(index));
  const full = all(many);
  expect(full.chosen.size).toBe(MAX_SELECTED);
  expect(clicked(full, String(MAX_SELECTED + 1), many, false).chosen.size).toBe(MAX_SELECTED);
});

test("who can no longer be selected is not", () => {
  expect(chosen(among(all(ORDER), new Set(["a", "e"])))).toEqual(["a", "e"]);
});

test("nothing changes where everybody is still there", () => {
  const some = all(["a"]);
  expect(among(some, new Set(ORDER))).toBe(some);
});
