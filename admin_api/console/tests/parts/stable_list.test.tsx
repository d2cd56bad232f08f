/** A stable list keeps rows in place, marks removed ones, and counts new ones. */
import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { stableList } from "../../src/parts/stable_list";
import { useStableList } from "../../src/parts/use_stable_list";

const row = (certid: string, word = "") => ({ certid, word });

test("updates rows in place", () => {
  const list = stableList([row("a"), row("b"), row("c")], [row("x"), row("c", "new"), row("a")]);
  expect(list.rows).toEqual([row("a"), row("b"), row("c", "new")]);
  expect([...list.gone]).toEqual(["b"]);
  expect(list.fresh).toEqual([row("x")]);
});

test("holds back new rows while busy, until they are shown", () => {
  const [first, second] = [[row("a")], [row("b"), row("a")]];
  const { result, rerender } = renderHook(({ now, busy }) => useStableList(now, busy), {
    initialProps: { now: first, busy: false },
  });
  rerender({ now: first, busy: true });
  rerender({ now: second, busy: true });
  expect(result.current.list.rows).toEqual(first);
  expect(result.current.list.fresh).toEqual([row("b")]);
  rerender({ now: second, busy: false });
  expect(result.current.list.rows).toEqual(second);
});

test("does not hold another list to the previous one", () => {
  const { result, rerender } = renderHook(({ now, key }) => useStableList(now, true, key), {
    initialProps: { now: [row("a")], key: "one" },
  });
  rerender({ now: [row("z")], key: "two" });
  expect(result.current.list.rows).toEqual([row("z")]);
  expect(result.current.list.gone.size).toBe(0);
});
