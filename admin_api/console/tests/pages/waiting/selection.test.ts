/** Selection: clicks, ranges and limits. */
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

test("toggles on click", () => {
  const one = clicked(NONE, "b", ORDER, false);
  expect(chosen(one)).toEqual(["b"]);
  expect(chosen(clicked(one, "b", ORDER, false))).toEqual([]);
});

test.each([
  ["b", "d", ["b", "c", "d"]],
  ["d", "b", ["b", "c", "d"]],
  ["c", "c", []],
])("sets the range from %s to %s with the shift key", (from, to, want) => {
  expect(chosen(clicked(clicked(NONE, from, ORDER, false), to, ORDER, true))).toEqual(want);
});

test("deselects a range, too", () => {
  const some = { ...all(ORDER), anchor: "a" };
  expect(chosen(clicked(some, "c", ORDER, true))).toEqual(["d", "e"]);
});

test("treats a range without a valid start as a click", () => {
  expect(chosen(clicked(NONE, "c", ORDER, true))).toEqual(["c"]);
  expect(chosen(clicked({ chosen: new Set(["z"]), anchor: "z" }, "c", ORDER, true))).toEqual(["c", "z"]);
});

test("stops at the limit of one bulk claim", () => {
  const many = Array.from({ length: MAX_SELECTED + 5 }, (_, index) => String(index));
  const full = all(many);
  expect(full.chosen.size).toBe(MAX_SELECTED);
  expect(clicked(full, String(MAX_SELECTED + 1), many, false).chosen.size).toBe(MAX_SELECTED);
});

test("deselects devices that can no longer be selected", () => {
  expect(chosen(among(all(ORDER), new Set(["a", "e"])))).toEqual(["a", "e"]);
});

test("returns the same selection if nothing changed", () => {
  const some = all(["a"]);
  expect(among(some, new Set(ORDER))).toBe(some);
});
