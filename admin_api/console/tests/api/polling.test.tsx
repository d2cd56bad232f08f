/** Polling runs only while the page is visible. */
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { usePolling } from "../../src/api/polling";

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

test("runs immediately, and again after it has finished", async () => {
  const work = vi.fn(() => new Promise<void>((done) => setTimeout(done, 500)));
  renderHook(() => usePolling(1_000, work, ""));
  expect(work).toHaveBeenCalledTimes(1);
  await pass(1_400);
  expect(work).toHaveBeenCalledTimes(1);
  await pass(200);
  expect(work).toHaveBeenCalledTimes(2);
});

test("stops while the page is hidden, and runs immediately when it is visible again", async () => {
  const work = vi.fn(async () => undefined);
  renderHook(() => usePolling(1_000, work, ""));
  await act(async () => see("hidden"));
  await pass(10_000);
  expect(work).toHaveBeenCalledTimes(1);
  await act(async () => see("visible"));
  expect(work).toHaveBeenCalledTimes(2);
});

test("marks work for an old key as no longer current", async () => {
  const requests: (() => boolean)[] = [];
  const work = async (isCurrent: () => boolean) => void requests.push(isCurrent);
  const { rerender, unmount } = renderHook(({ key }) => usePolling(1_000, work, key), {
    initialProps: { key: "one" },
  });
  rerender({ key: "two" });
  expect(requests.map((isCurrent) => isCurrent())).toEqual([false, true]);
  unmount();
  expect(requests.map((isCurrent) => isCurrent())).toEqual([false, false]);
});
