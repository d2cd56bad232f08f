/** A list that is held still keeps its rows in their places, marks who left, and counts who came. */
import { renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { steady } from "../../src/parts/steady";
import { useSteady } from "../../src/parts/use_steady";

const row = (certid: string, word = "") => ({ certid, word });

test("rows stay in place and are brought up to date", () => {
  const list = steady([row("a"), row("b"), row("c")], [row("x"), row("c", "new"), row("a")]);
  expect(list.rows).toEqual([row("a"), row("b"), row("c", "new")]);
  expect([...list.gone]).toEqual(["b"]);
  expect(list.fresh).toEqual([row("x")]);
});

test("a busy list holds back what is new until it is shown or let go", () => {
  const [first, second] = [[row("a")], [row("b"), row("a")]];
  const { result, rerender } = renderHook(({ now, busy }) => useSteady(now, busy), {
    initialProps: { now: first, busy: false },
  });
  rerender({ now: first, busy: true });
  rerender({ now: second, busy: true });
  expect(result.current.list.rows).toEqual(first);
  expect(result.current.list.fresh).toEqual([row("b")]);
  rerender({ now: second, busy: false });
  expect(result.current.list.rows).toEqual(second);
});

test("another list is not held to what the last one showed", () => {
  const { result, rerender } = renderHook(({ now, about }) => useSteady(now, true, about), {
    initialProps: { now: [row("a")], about: "one" },
  });
  rerender({ now: [row("z")], about: "two" });
  expect(result.current.list.rows).toEqual([row("z")]);
  expect(result.current.list.gone.size).toBe(0);
});
