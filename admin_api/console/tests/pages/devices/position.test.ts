/** The place of a page in its list, and the order of the devices on it. */
import { expect, test } from "vitest";
import type { DeviceLine } from "../../../src/pages/devices/device_line";
import { ALL_DEVICES, type ListQuery } from "../../../src/pages/devices/list_query";
import { isCountedByList, positionText, totalOf } from "../../../src/pages/devices/position";
import { sorted } from "../../../src/pages/devices/sorting";
import type { Counts } from "../../../src/parts/counts";
import { deviceLine } from "../fixtures";

test.each<[number, number | undefined, boolean, number | undefined, string]>([
  [20, 0, false, 4_812, "1–20 of 4,812"],
  [20, 0, false, undefined, "1–20"],
  [12, 40, true, undefined, "41–52 of 52"],
  [20, 20, false, 30, "21–40"], // the count is older than the page
  [20, undefined, false, 4_812, "20 devices"],
  [0, 0, true, 0, "0 devices"],
])("%i devices after %s, last: %s, of %s: %s", (count, start, last, total, text) => {
  expect(positionText(count, start, last, total)).toBe(text);
});

const COUNTS: Counts = {
  total: 100,
  of: (state) => (state === "failed" ? 7 : undefined),
  reasons: () => [{ reason: "TARGET_LIMIT", count: 3 }],
};

test.each<[Partial<ListQuery>, number | undefined]>([
  [{}, 100],
  [{ state: "failed" }, 7],
  [{ state: "failed", reason: "TARGET_LIMIT" }, 3],
  [{ state: "failed", name: "sensor" }, undefined],
  [{ target: "200000000002/eu-west-1" }, undefined],
])("the total of %j is %s", (query, total) => {
  expect(totalOf({ ...ALL_DEVICES, ...query }, COUNTS)).toBe(total);
});

test.each<[Partial<ListQuery>, boolean]>([
  [{}, false],
  [{ state: "failed", reason: "TARGET_LIMIT" }, false],
  [{ target: "200000000002/eu-west-1" }, true],
  [{ target: "200000000002/eu-west-1", state: "failed" }, true],
  [{ target: "200000000002/eu-west-1", name: "sensor" }, false],
  [{ target: "200000000002/eu-west-1", print: "3f2a" }, false],
])("the API is asked for the total of %j: %s", (query, asked) => {
  expect(isCountedByList({ ...ALL_DEVICES, ...query })).toBe(asked);
});

test("sorts names by their numbers, and missing values last in both directions", () => {
  const lines = ["b-10", null, "b-9", "a"].map((devicename, at) =>
    deviceLine(at, { devicename }),
  ) as unknown as DeviceLine[];
  const names = (descending: boolean) =>
    sorted(lines, (line) => line.devicename, descending).map(({ devicename }) => devicename);
  expect(names(false)).toEqual(["a", "b-9", "b-10", null]);
  expect(names(true)).toEqual(["b-10", "b-9", "a", null]);
});
