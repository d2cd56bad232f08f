/** Live queries poll while the page is visible and online, and immediately when it becomes so again. */
import { act, render, screen } from "@testing-library/react";
import { Provider } from "urql";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { graphql } from "../../src/api/graphql";
import { useLiveQuery } from "../../src/api/live";
import { FakeApi, LOST } from "../fake_api";

const TOTAL = graphql(`query Total { overview { total } }`);

function Total({ everyMs, pause = false }: { everyMs: number | null; pause?: boolean }) {
  const [{ data, error }] = useLiveQuery({ query: TOTAL, pause }, everyMs);
  return <output>{[data?.overview.total, error && "lost"].filter(Boolean).join(" ") || "none"}</output>;
}

let api: FakeApi;

beforeEach(() => {
  vi.useFakeTimers();
  api = new FakeApi({ Total: (_: unknown, nth: number) => ({ overview: { total: nth } }) });
});
afterEach(() => vi.useRealTimers());

function look(everyMs: number | null = 10_000, pause = false) {
  const tree = (paused: boolean) => (
    <Provider value={api.client}>
      <Total everyMs={everyMs} pause={paused} />
    </Provider>
  );
  const { rerender, unmount } = render(tree(pause));
  return { unmount, pause: (paused: boolean) => rerender(tree(paused)) };
}

const pass = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds));
const times = () => api.requests.length;

async function turn(visibility: "visible" | "hidden") {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(visibility);
  await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
}

async function network(state: "online" | "offline") {
  await act(async () => void window.dispatchEvent(new Event(state)));
}

test("polls at the given interval and shows the result", async () => {
  look();
  await pass(0);
  expect(screen.getByRole("status").textContent).toBe("1");
  await pass(9_999);
  expect(times()).toBe(1);
  await pass(1);
  expect(screen.getByRole("status").textContent).toBe("2");
  for (const nth of [3, 4, 5]) {
    await pass(10_000);
    expect(times()).toBe(nth);
  }
});

test("stops while the page is hidden, and polls immediately when it is visible again", async () => {
  look();
  await pass(0);
  await turn("hidden");
  await pass(120_000);
  expect(times()).toBe(1);
  await turn("visible");
  expect(times()).toBe(2);
  await pass(10_000);
  expect(times()).toBe(3);
});

test("stops while offline, and polls immediately when the network returns", async () => {
  look();
  await pass(0);
  await network("offline");
  await pass(120_000);
  expect(times()).toBe(1);
  await network("online");
  expect(times()).toBe(2);
});

test("without an interval, still polls when the page becomes visible again", async () => {
  look(null);
  await pass(120_000);
  expect(times()).toBe(1);
  await turn("hidden");
  await turn("visible");
  expect(times()).toBe(2);
});

test("continues after a failure", async () => {
  api.answer("Total", LOST);
  look();
  await pass(0);
  expect(screen.getByRole("status").textContent).toBe("lost");
  api.answer("Total", { overview: { total: 7 } });
  await pass(10_000);
  expect(screen.getByRole("status").textContent).toBe("7");
});

test("keeps the last data when a poll fails, and reports the failure", async () => {
  look();
  await pass(0);
  api.answer("Total", LOST);
  await pass(10_000);
  expect(screen.getByRole("status").textContent).toBe("1 lost");
});

test("waits for a slow response before it polls again", async () => {
  const slow = vi.fn(() => new Promise(() => {}));
  api.answer("Total", slow);
  look();
  await pass(60_000);
  expect(slow).toHaveBeenCalledTimes(1);
});

test("does not poll while paused, even when the page becomes visible", async () => {
  const page = look(10_000, true);
  await pass(60_000);
  await turn("hidden");
  await turn("visible");
  expect(times()).toBe(0);
  page.pause(false);
  await pass(0);
  expect(times()).toBe(1);
});

test("stops when unmounted", async () => {
  const page = look();
  await pass(0);
  page.unmount();
  await pass(60_000);
  expect(times()).toBe(1);
});
