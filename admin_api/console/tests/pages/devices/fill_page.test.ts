/** Filling a filtered page with a limited number of requests. */
import { expect, test, vi } from "vitest";
import { fillPage, MAX_ASKED } from "../../../src/pages/devices/fill_page";

test("needs one request for a full page", async () => {
  const ask = vi.fn(async (first: number) => ({ nodes: Array(first).fill("x"), next: "more" }));
  expect(await fillPage(ask, 20, null)).toMatchObject({ next: "more", cut: false });
  expect(ask.mock.calls).toEqual([[20, null]]);
});

test("continues a short page for the missing rows", async () => {
  const parts = [
    { nodes: ["a"], next: "1" },
    { nodes: [], next: "2" },
    { nodes: ["b", "c"], next: "3" },
  ];
  const ask = vi.fn(async () => parts.shift() ?? { nodes: [], next: null });
  expect(await fillPage(ask, 3, "0")).toEqual({ nodes: ["a", "b", "c"], next: "3", cut: false });
  expect(ask.mock.calls).toEqual([
    [3, "0"],
    [2, "1"],
    [2, "2"],
  ]);
});

test("has the total of the query, not of its parts", async () => {
  const parts = [
    { nodes: ["a"], next: "1", total: 7 },
    { nodes: ["b"], next: "2", total: 7 },
  ];
  const ask = vi.fn(async () => parts.shift() ?? { nodes: [], next: null });
  expect(await fillPage(ask, 2, null)).toEqual({ nodes: ["a", "b"], next: "2", total: 7, cut: false });
});

test("stops after a number of empty responses, and reports it", async () => {
  const ask = vi.fn(async () => ({ nodes: [], next: "on" }));
  expect(await fillPage(ask, 20, null)).toEqual({ nodes: [], next: "on", cut: true });
  expect(ask).toHaveBeenCalledTimes(MAX_ASKED);
});

test("does not mark the last page as cut", async () => {
  expect(await fillPage(async () => ({ nodes: ["a"], next: null }), 20, null)).toEqual({
    nodes: ["a"],
    next: null,
    cut: false,
  });
});
