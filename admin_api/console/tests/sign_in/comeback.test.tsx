/** When a page that was opened without a network is loaded anew. */
import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onComeback, useInHand } from "../../src/sign_in/comeback";

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
  useInHand(busy);
  return null;
}

async function online(): Promise<void> {
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
}

test("when the network returns and the lobby answers", async () => {
  const go = vi.fn();
  end = onComeback(go);
  await online();
  expect(go).toHaveBeenCalledTimes(1);
});

test.each<[string, () => Promise<Response>]>([
  ["a network that leads nowhere", () => Promise.reject(new TypeError("fetch failed"))],
  ["a lobby that has a bad day", async () => new Response("", { status: 503 })],
])("not with %s; but later, without any event", async (_, at_first) => {
  const go = vi.fn();
  answers = at_first;
  end = onComeback(go);
  await online();
  expect(go).not.toHaveBeenCalled();
  answers = async () => new Response("{}");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(go).toHaveBeenCalledTimes(1);
});

test("not while something is in hand, which loading would lose; then at once", async () => {
  const go = vi.fn();
  const { rerender } = render(<Busy busy />);
  end = onComeback(go);
  await online();
  expect(go).not.toHaveBeenCalled();
  await act(async () => rerender(<Busy busy={false} />));
  expect(go).toHaveBeenCalledTimes(1);
});

test("what was in hand before it left the page holds nothing up", async () => {
  const go = vi.fn();
  const { unmount } = render(<Busy busy />);
  unmount();
  end = onComeback(go);
  await online();
  expect(go).toHaveBeenCalledTimes(1);
});

test("once it is over, nothing more happens", async () => {
  const go = vi.fn();
  onComeback(go)();
  await online();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(go).not.toHaveBeenCalled();
});
