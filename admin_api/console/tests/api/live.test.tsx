/** Live queries: asked again while somebody looks and there is a network, and at once when they come back. */
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
const times = () => api.asked.length;

async function turn(visibility: "visible" | "hidden") {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(visibility);
  await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
}

async function network(state: "online" | "offline") {
  await act(async () => void window.dispatchEvent(new Event(state)));
}

test("asks again after the given time, and shows what came", async () => {
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

test("asks nothing while the page is hidden, and at once when it is seen again", async () => {
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

test("asks nothing without a network, and at once when it returns", async () => {
  look();
  await pass(0);
  await network("offline");
  await pass(120_000);
  expect(times()).toBe(1);
  await network("online");
  expect(times()).toBe(2);
});

test("a page that is not asked by the clock is still asked when it is seen again", async () => {
  look(null);
  await pass(120_000);
  expect(times()).toBe(1);
  await turn("hidden");
  await turn("visible");
  expect(times()).toBe(2);
});

test("goes on asking after a failure", async () => {
  api.answer("Total", LOST);
  look();
  await pass(0);
  expect(screen.getByRole("status").textContent).toBe("lost");
  api.answer("Total", { overview: { total: 7 } });
  await pass(10_000);
  expect(screen.getByRole("status").textContent).toBe("7");
});

test("a poll that fails leaves what was seen, and says that it failed", async () => {
  look();
  await pass(0);
  api.answer("Total", LOST);
  await pass(10_000);
  expect(screen.getByRole("status").textContent).toBe("1 lost");
});

test("waits for an answer that is slow before it asks again", async () => {
  const slow = vi.fn(() => new Promise(() => {}));
  api.answer("Total", slow);
  look();
  await pass(60_000);
  expect(slow).toHaveBeenCalledTimes(1);
});

test("a paused query is not asked, also not when the page is seen again", async () => {
  const page = look(10_000, true);
  await pass(60_000);
  await turn("hidden");
  await turn("visible");
  expect(times()).toBe(0);
  page.pause(false);
  await pass(0);
  expect(times()).toBe(1);
});

test("asks nothing any more once nobody shows it", async () => {
  const page = look();
  await pass(0);
  page.unmount();
  await pass(60_000);
  expect(times()).toBe(1);
});
