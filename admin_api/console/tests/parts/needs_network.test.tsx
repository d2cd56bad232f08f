/** A page whose files cannot be loaded says that it needs a network, and reloads when the lobby is reachable. */
import { MantineProvider } from "@mantine/core";
import { act, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "../../src/parts/error_boundary";
import { PageNotLoaded } from "../../src/parts/page_not_loaded";

const DOWN = () => Promise.reject(new TypeError("fetch failed"));
const UP = async () => new Response("{}");
let lobby: () => Promise<Response>;
const reload = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "error").mockImplementation(() => {});
  sessionStorage.clear();
  reload.mockReset();
  lobby = DOWN;
  vi.stubGlobal("fetch", () => lobby());
  vi.stubGlobal("location", { ...location, reload, pathname: "/devices" });
});
afterEach(() => void vi.useRealTimers());

function Page(): never {
  throw new PageNotLoaded(new TypeError("Failed to fetch dynamically imported module: https://lobby/x.js"));
}

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const open = () =>
  render(
    <MantineProvider env="test">
      <ErrorBoundary place="/devices">
        <Page />
      </ErrorBoundary>
    </MantineProvider>,
  );

test("says what is missing, without an address, and does not reload while the lobby is unreachable", async () => {
  open();
  await pass(60_000);
  expect(screen.getByRole("alert").textContent).toContain("This page needs a network");
  expect(screen.getByRole("alert").textContent).not.toContain("https:");
  expect(reload).not.toHaveBeenCalled();
});

test("reloads by itself, although the browser reports no event", async () => {
  open();
  await pass(10_000);
  lobby = UP;
  await pass(5_000);
  expect(reload).toHaveBeenCalledOnce();
});

test("reloads once a minute if the files are really gone", async () => {
  lobby = UP;
  const first = open();
  await pass(0);
  expect(reload).toHaveBeenCalledOnce();
  first.unmount();
  open();
  await pass(50_000);
  expect(reload).toHaveBeenCalledOnce();
  await pass(11_000);
  expect(reload).toHaveBeenCalledTimes(2);
});
