/** A page that the API sifts thin is filled by a few more questions, and never by endless ones. */
import { expect, test, vi } from "vitest";
import { gather, MAX_ASKED } from "../../../src/pages/devices/gather";

test("a full page is one question", async () => {
  const ask = vi.fn(async (first: number) => ({ nodes: Array(first).fill("x"), next: "more" }));
  expect(await gather(ask, 20, null)).toMatchObject({ next: "more", cut: false });
  expect(ask.mock.calls).toEqual([[20, null]]);
});

test("a short page goes on where it ended, for as many as are missing", async () => {
  const parts = [
    { nodes: ["a"], next: "1" },
    { nodes: [], next: "2" },
    { nodes: ["b", "c"], next: "3" },
  ];
  const ask = vi.fn(async () => parts.shift() ?? { nodes: [], next: null });
  expect(await gather(ask, 3, "0")).toEqual({ nodes: ["a", "b", "c"], next: "3", cut: false });
  expect(ask.mock.calls).toEqual([
    [3, "0"],
    [2, "1"],
    [2, "2"],
  ]);
});

test("where nothing is found it stops after a while, and says so", async () => {
  const ask = vi.fn(async () => ({ nodes: [], next: "on" }));
  expect(await gather(ask, 20, null)).toEqual({ nodes: [], next: "on", cut: true });
  expect(ask).toHaveBeenCalledTimes(MAX_ASKED);
});

test("the last page is not cut, however short", async () => {
  expect(await gather(async () => ({ nodes: ["a"], next: null }), 20, null)).toEqual({
    nodes: ["a"],
    next: null,
    cut: false,
  });
});
