import { expect, test } from "vitest";
import { formatNumber, percentage, pluralize } from "../../src/parts/numbers";
import { describeCounts, lifecycleOrder } from "../../src/parts/state_bar";

test.each([
  [0, "0 devices"],
  [1, "1 device"],
  [10_432, "10,432 devices"],
])("%i is %s", (count, want) => {
  expect(pluralize(count, "device")).toBe(want);
});

test("formats a million with commas", () => {
  expect(formatNumber(1_000_000)).toBe("1,000,000");
});

test.each([
  [0, 0, "0 %"],
  [0, 10, "0 %"],
  [1, 10_432, "under 1 %"],
  [10_431, 10_432, "over 99 %"],
  [10_432, 10_432, "100 %"],
  [1, 3, "33 %"],
])("%i of %i is %s", (part, all, want) => {
  expect(percentage(part, all)).toBe(want);
});

test("lists non-empty states in lifecycle order", () => {
  const counts = [
    { state: "failed", count: 2 },
    { state: "brand-new", count: 1 },
    { state: "refused", count: 0 },
    { state: "expected", count: 3 },
  ];
  expect(lifecycleOrder(counts).map(({ state }) => state)).toEqual(["expected", "failed", "brand-new"]);
  expect(describeCounts(counts)).toBe("3 expected, 2 failed, 1 brand-new");
  expect(describeCounts([])).toBe("no devices");
});
