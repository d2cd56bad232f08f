/** The list of devices: what the address says is what is asked, and what is shown does not move by itself. */
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import DevicesPage from "../../../src/pages/devices/devices_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { certid, counts, line, lines, pageOf, TARGETS } from "../canned";

const POLL_MS = 10_000;

// jsdom takes long to tell roles on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  localStorage.clear();
});
afterEach(() => {
  vi.useRealTimers();
});

function ledger(devices: object[]) {
  const state = { devices };
  const api = new FakeApi({
    Targets: TARGETS,
    Counts: counts({ arrived: 10_412, failed: 17 }, { TARGET_LIMIT: 3 }),
  });
  api.answer("Devices", (variables) => pageOf(state.devices, variables));
  return { api, state };
}

function enter(api: FakeApi, at = "/devices") {
  return show(<DevicesPage />, api, { at });
}

const names = () => screen.queryAllByRole("link", { name: /^sensor-/ }).map((link) => link.textContent);
const asked = (api: FakeApi) => api.variablesOf("Devices").at(-1);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const type = (text: string) =>
  fireEvent.change(screen.getByRole("searchbox", { name: "Find a device" }), { target: { value: text } });

test("the address is the filter", async () => {
  const { api } = ledger(lines(0, 2));
  enter(api, "/devices?state=failed&target=200000000002%2Feu-west-1&reason=TARGET_LIMIT&name=se&size=50");
  await screen.findByText("sensor-0");
  expect(api.variablesOf("Devices")).toEqual([
    {
      filter: {
        state: "failed",
        target: { account: "200000000002", region: "eu-west-1" },
        reason: "TARGET_LIMIT",
        namePrefix: "se",
      },
      first: 50,
      after: null,
    },
  ]);
});

test("a state, with how many are in it, is one click and one step back", async () => {
  const { api } = ledger(lines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(await screen.findByRole("button", { name: "Failed 17" }));
  await waitFor(() => expect(asked(api)).toMatchObject({ filter: { state: "failed" } }));
  expect(visited).toEqual(["/devices", "/devices?state=failed"]);
});

test("reasons are offered where there are any, with words for each", async () => {
  const { api } = ledger(lines(0, 2));
  enter(api, "/devices?state=failed");
  fireEvent.click(await screen.findByRole("combobox", { name: "Reason" }));
  fireEvent.click(await screen.findByRole("option", { name: /TARGET_LIMIT \(3\).*quota/ }));
  await waitFor(() =>
    expect(asked(api)).toMatchObject({ filter: { state: "failed", reason: "TARGET_LIMIT" } }),
  );
});

test("a name is searched for as soon as the typing rests, as one step for the back button", async () => {
  const { api } = ledger(lines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  for (const text of ["s", "se", "sen"]) type(text);
  expect(api.variablesOf("Devices")).toHaveLength(1);
  await pass(500);
  expect(asked(api)).toMatchObject({ filter: { namePrefix: "sen" } });
  type("sensor");
  await pass(500);
  expect(visited).toEqual(["/devices", "/devices?name=sensor"]);
});

test("one letter is not searched for, and it is said why", async () => {
  const { api } = ledger(lines(0, 2));
  enter(api);
  await screen.findByText("sensor-0");
  type("s");
  expect(screen.getByText("Type at least 2 characters.")).toBeTruthy();
  await pass(500);
  expect(api.variablesOf("Devices")).toHaveLength(1);
});

test("what may be a fingerprint or a name can be either", async () => {
  const { api } = ledger(lines(0, 2));
  enter(api);
  await screen.findByText("sensor-0");
  type("3F2A");
  await pass(500);
  expect(asked(api)).toMatchObject({ filter: { fingerprintPrefix: "3f2a" } });
  fireEvent.click(screen.getByRole("radio", { name: "Name" }));
  await waitFor(() => expect(asked(api)).toMatchObject({ filter: { namePrefix: "3F2A" } }));
});

test("a whole fingerprint leads right to its device", async () => {
  const { api } = ledger(lines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  type(certid(7).toUpperCase());
  expect(visited.at(-1)).toBe(`/devices/${certid(7)}`);
});

test("pages lead on and back, and each is one question", async () => {
  const { api } = ledger(lines(0, 45));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Next" }));
  await screen.findByText("sensor-20");
  fireEvent.click(screen.getByRole("button", { name: "Next" }));
  await screen.findByText("sensor-44");
  expect((screen.getByRole("button", { name: "Next" }) as HTMLButtonElement).disabled).toBe(true);
  fireEvent.click(screen.getByRole("button", { name: "Previous" }));
  await screen.findByText("sensor-20");
  expect(visited).toEqual(["/devices", "/devices?after=20", "/devices?after=40", "/devices?after=20"]);
  expect(names()).toHaveLength(20);
});

test("on a page that somebody sent, the way back is to the first one", async () => {
  const { api } = ledger(lines(0, 99));
  const { visited } = enter(api, "/devices?state=inlobby&after=60");
  await screen.findByText("sensor-60");
  fireEvent.click(screen.getByRole("button", { name: "First page" }));
  expect(visited.at(-1)).toBe("/devices?state=inlobby");
});

test("a page that is sifted thin is filled, a few times, and then one may look further", async () => {
  const { api } = ledger([]);
  api.answer("Devices", ({ after }) => ({
    devices: {
      __typename: "DevicePage",
      nodes: after === "2" ? [line(5)] : [],
      pageInfo: { __typename: "PageInfo", hasNextPage: true, endCursor: String(Number(after ?? 0) + 1) },
    },
  }));
  const { visited } = enter(api, "/devices?name=sensor-5");
  await screen.findByText(/1 device found so far/);
  expect(api.variablesOf("Devices").map(({ first, after }) => [first, after])).toEqual([
    [20, null],
    [20, "1"],
    [20, "2"],
    [19, "3"],
    [19, "4"],
  ]);
  fireEvent.click(screen.getByRole("button", { name: "Look further" }));
  expect(visited.at(-1)).toBe("/devices?name=sensor-5&after=5");
});

test("what has changed is shown in its place; who came or left is told, not moved", async () => {
  const { api, state } = ledger(lines(1, 4));
  enter(api, "/devices?state=inlobby");
  await screen.findByText("sensor-1");
  state.devices = [line(0), line(1, { profile: "gateway" }), line(3)];
  await pass(POLL_MS + 100);
  expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]);
  fireEvent.click(screen.getByRole("button", { name: "1 device new here, 1 device gone: show" }));
  expect(names()).toEqual(["sensor-0", "sensor-1", "sensor-3"]);
});

test("columns are chosen, and remembered", async () => {
  const { api } = ledger(lines(0, 1));
  const { unmount } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Columns" }));
  fireEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Profile" }));
  fireEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Reason" }));
  unmount();
  enter(api);
  expect((await screen.findAllByRole("columnheader")).map((head) => head.textContent)).toEqual([
    "State",
    "Name",
    "Fingerprint",
    "Target",
    "Since",
    "Profile",
  ]);
});

test("columns that were kept wrongly are as if none were", async () => {
  localStorage.setItem("device-lobby.columns", '{"no": "list"}');
  enter(ledger(lines(0, 1)).api);
  expect(await screen.findAllByRole("columnheader")).toHaveLength(6);
});

test("no device at all, and none that fits, are told apart", async () => {
  const { api } = ledger([]);
  const { unmount } = enter(api);
  expect(await screen.findByText("No devices yet")).toBeTruthy();
  unmount();
  const { visited } = enter(api, "/devices?name=zz");
  expect(await screen.findByText("No device fits")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Clear the filters" }));
  expect(visited.at(-1)).toBe("/devices");
});

test("a place that is no longer one leads to the first page", async () => {
  const { api } = ledger([]);
  api.answer("Devices", new Refusal("INVALID_CURSOR", "got 'x', want the cursor of an earlier page"));
  const { visited } = enter(api, "/devices?state=failed&after=x");
  fireEvent.click(await screen.findByRole("button", { name: "To the first page" }));
  expect(visited.at(-1)).toBe("/devices?state=failed");
});

test("who comes back finds the list as it was, at once", async () => {
  const { api } = ledger(lines(0, 2));
  const { unmount } = enter(api);
  await screen.findByText("sensor-0");
  unmount();
  enter(api);
  expect(names()).toEqual(["sensor-0", "sensor-1"]);
});

/** jsdom's blobs do not read themselves. */
function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(blob);
  });
}

test("all that is asked for is saved, not only the page", async () => {
  const { api } = ledger(lines(0, 230));
  const saved: Blob[] = [];
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: (blob: Blob) => saved.push(blob) && "blob:x" }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  enter(api, "/devices?state=inlobby");
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Save as CSV" }));
  expect(await screen.findByText("230 devices saved")).toBeTruthy();
  expect((await textOf(saved[0] as Blob)).trim().split("\r\n")).toHaveLength(231);
  expect(asked(api)).toEqual({ filter: { state: "inlobby" }, first: 100, after: "200" });
});
