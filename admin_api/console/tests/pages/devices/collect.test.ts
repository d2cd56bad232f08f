/** Collecting all pages of a list, within limits. */
import { expect, test, vi } from "vitest";
import { collect, MAX_COLLECTED, MAX_PAGES } from "../../../src/pages/devices/collect";

const on = () => true;

test("collects pages up to the end", async () => {
  const parts = [
    { nodes: ["a", "b"], next: "1" },
    { nodes: [], next: "2" },
    { nodes: ["c"], next: null },
  ];
  const ask = vi.fn(async () => parts.shift() ?? { nodes: [], next: null });
  expect(await collect(ask, on)).toEqual({ rows: ["a", "b", "c"], cut: false });
  expect(ask.mock.calls).toEqual([
    [100, null],
    [100, "1"],
    [100, "2"],
  ]);
});

test("stops at the limits", async () => {
  const full = await collect(async (first) => ({ nodes: Array(first).fill("x"), next: "on" }), on);
  expect(full.rows).toHaveLength(MAX_COLLECTED);
  expect(full.cut).toBe(true);
  const ask = vi.fn(async () => ({ nodes: [], next: "on" }));
  expect(await collect(ask, on)).toEqual({ rows: [], cut: true });
  expect(ask).toHaveBeenCalledTimes(MAX_PAGES);
});

test("stops on request", async () => {
  const ask = vi.fn(async () => ({ nodes: ["x"], next: "on" }));
  await collect(ask, (count) => count < 3);
  expect(ask).toHaveBeenCalledTimes(3);
});
