/** Work that is done again and again is done only while somebody looks. */
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useEvery } from "../../src/api/every";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  see("visible");
});

function see(state: DocumentVisibilityState): void {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("it is done at once, and again some time after it has ended", async () => {
  const work = vi.fn(() => new Promise<void>((done) => setTimeout(done, 500)));
  renderHook(() => useEvery(1_000, work, ""));
  expect(work).toHaveBeenCalledTimes(1);
  await pass(1_400);
  expect(work).toHaveBeenCalledTimes(1);
  await pass(200);
  expect(work).toHaveBeenCalledTimes(2);
});

test("nothing is done while the page is hidden, and at once when it is seen again", async () => {
  const work = vi.fn(async () => undefined);
  renderHook(() => useEvery(1_000, work, ""));
  await act(async () => see("hidden"));
  await pass(10_000);
  expect(work).toHaveBeenCalledTimes(1);
  await act(async () => see("visible"));
  expect(work).toHaveBeenCalledTimes(2);
});

test("what was asked about something else is no longer current", async () => {
  const asked: (() => boolean)[] = [];
  const work = async (isCurrent: () => boolean) => void asked.push(isCurrent);
  const { rerender, unmount } = renderHook(({ about }) => useEvery(1_000, work, about), {
    initialProps: { about: "one" },
  });
  rerender({ about: "two" });
  expect(asked.map((isCurrent) => isCurrent())).toEqual([false, true]);
  unmount();
  expect(asked.map((isCurrent) => isCurrent())).toEqual([false, false]);
});
