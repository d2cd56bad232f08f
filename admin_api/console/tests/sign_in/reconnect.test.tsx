/** Reloading a page that was opened offline. */
import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onReconnect, useReloadBlock } from "../../src/sign_in/reconnect";

let answers: () => Promise<Response>;
let end: () => void = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  answers = async () => new Response("{}");
  vi.stubGlobal(
    "fetch",
    vi.fn(() => answers()),
  );
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

function Busy({ busy }: { busy: boolean }) {
  useReloadBlock(busy);
  return null;
}

async function online(): Promise<void> {
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
}

test("reloads when the network returns and the lobby responds", async () => {
  const go = vi.fn();
  end = onReconnect(go);
  await online();
  expect(go).toHaveBeenCalledTimes(1);
});

test.each<[string, () => Promise<Response>]>([
  ["a network without connectivity", () => Promise.reject(new TypeError("fetch failed"))],
  ["a lobby that fails", async () => new Response("", { status: 503 })],
])("does not reload with %s, but later without an event", async (_, at_first) => {
  const go = vi.fn();
  answers = at_first;
  end = onReconnect(go);
  await online();
  expect(go).not.toHaveBeenCalled();
  answers = async () => new Response("{}");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(go).toHaveBeenCalledTimes(1);
});

test("waits for unfinished work, then reloads", async () => {
  const go = vi.fn();
  const { rerender } = render(<Busy busy />);
  end = onReconnect(go);
  await online();
  expect(go).not.toHaveBeenCalled();
  await act(async () => rerender(<Busy busy={false} />));
  expect(go).toHaveBeenCalledTimes(1);
});

test("is not blocked by work that left the page", async () => {
  const go = vi.fn();
  const { unmount } = render(<Busy busy />);
  unmount();
  end = onReconnect(go);
  await online();
  expect(go).toHaveBeenCalledTimes(1);
});

test("does nothing after it was cancelled", async () => {
  const go = vi.fn();
  onReconnect(go)();
  await online();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(go).not.toHaveBeenCalled();
});
