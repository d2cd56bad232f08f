/** A page of devices: paging, stable rows, column selection and CSV export. */

import { fireEvent, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { day } from "../../../src/parts/day";
import { Refusal } from "../../fake_api";
import { pass, stopClock } from "../clock";
import { deviceLine, deviceLines } from "../fixtures";
import { enter, lastRequest, ledger, names } from "./devices_fixtures";

stopClock();

test("pages forwards and back with one query each", async () => {
  const { api } = ledger(deviceLines(0, 45));
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

test("shows the place of each page, and the total where the counts have it", { tags: "full" }, async () => {
  const { api } = ledger(deviceLines(0, 45));
  enter(api, "/devices?state=arrived");
  expect(await screen.findByText("1–20 of 10,412 · Newest first")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByText("21–40 of 10,412 · Newest first")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByText("41–45 of 45 · Newest first")).toBeTruthy();
  expect(api.variablesOf("Devices").some(({ counted }) => counted)).toBe(false);
});

test.each([
  [4_812, /^1–20 of 4,812 · /],
  [null, /^1–20 · /],
])("shows the total of a target's devices as the API has it: %s", async (total, text) => {
  enter(ledger(deviceLines(0, 45), total).api, "/devices?target=200000000002%2Feu-west-1");
  expect(await screen.findByText(text)).toBeTruthy();
});

test("sorts the devices of a page by a column, and says so", async () => {
  const { api } = ledger([deviceLine(1, { devicename: "sensor-10" }), deviceLine(2), deviceLine(3)]);
  enter(api);
  await screen.findByText("sensor-2");
  const head = () => screen.getByRole("columnheader", { name: "Name" });
  const sort = () => fireEvent.click(screen.getByRole("button", { name: "Name" }));
  sort();
  expect(names()).toEqual(["sensor-2", "sensor-3", "sensor-10"]);
  expect(head().getAttribute("aria-sort")).toBe("ascending");
  expect(screen.getByText(/This page by Name/)).toBeTruthy();
  sort();
  expect(names()).toEqual(["sensor-10", "sensor-3", "sensor-2"]);
  sort();
  expect(names()).toEqual(["sensor-10", "sensor-2", "sensor-3"]);
  expect(head().getAttribute("aria-sort")).toBe("none");
});

test("goes to the first page from a shared address", { tags: "full" }, async () => {
  const { api } = ledger(deviceLines(0, 99));
  const { visited } = enter(api, "/devices?state=inlobby&after=60");
  await screen.findByText("sensor-60");
  fireEvent.click(screen.getByRole("button", { name: "First page" }));
  expect(visited.at(-1)).toBe("/devices?state=inlobby");
});

test("fills a filtered page with a few requests, then offers to continue", async () => {
  const { api } = ledger([]);
  api.answer("Devices", ({ after }) => ({
    devices: {
      __typename: "DevicePage",
      nodes: after === "2" ? [deviceLine(5)] : [],
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
  fireEvent.click(screen.getByRole("button", { name: "Continue search" }));
  expect(visited.at(-1)).toBe("/devices?name=sensor-5&after=5");
});

test("updates rows in place and announces new and removed devices", async () => {
  const { api, state } = ledger(deviceLines(1, 4));
  enter(api, "/devices?state=inlobby");
  await screen.findByText("sensor-1");
  state.devices = [deviceLine(0), deviceLine(1, { profile: "gateway" }), deviceLine(3)];
  await pass(10_100);
  expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]);
  fireEvent.click(screen.getByRole("button", { name: "1 new, 1 removed · Show" }));
  expect(names()).toEqual(["sensor-0", "sensor-1", "sensor-3"]);
});

beforeEach(() => localStorage.clear());

test("remembers the selected columns", async () => {
  const { api } = ledger(deviceLines(0, 1));
  const { unmount } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Columns" }));
  fireEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Profile" }));
  fireEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Reason" }));
  unmount();
  enter(api);
  expect((await screen.findAllByRole("columnheader")).map((head) => head.textContent?.trim())).toEqual([
    "",
    "State",
    "Name",
    "Fingerprint",
    "Target",
    "Since",
    "Online",
    "Profile",
  ]);
});

test("ignores an invalid stored selection of columns", async () => {
  localStorage.setItem("device-lobby.columns", '{"no": "list"}');
  enter(ledger(deviceLines(0, 1)).api);
  expect(await screen.findAllByRole("columnheader")).toHaveLength(8);
});

test("goes to the first page after an invalid cursor", async () => {
  const { api } = ledger([]);
  api.answer("Devices", new Refusal("INVALID_CURSOR", "got 'x', want the cursor of an earlier page"));
  const { visited } = enter(api, "/devices?state=failed&after=x");
  fireEvent.click(await screen.findByRole("button", { name: "Go to first page" }));
  expect(visited.at(-1)).toBe("/devices?state=failed");
});

test("shows the cached list immediately on return", async () => {
  const { api } = ledger(deviceLines(0, 2));
  const { unmount } = enter(api);
  await screen.findByText("sensor-0");
  unmount();
  enter(api);
  expect(names()).toEqual(["sensor-0", "sensor-1"]);
});

/** jsdom's blobs have no text(). */
function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(blob);
  });
}

test("exports all devices of the query, not only the page, without counting them", async () => {
  const { api } = ledger(deviceLines(0, 230));
  const saved: Blob[] = [];
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: (blob: Blob) => saved.push(blob) && "blob:x" }));
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  enter(api, "/devices?state=inlobby");
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Export CSV" }));
  expect(await screen.findByText("230 devices saved")).toBeTruthy();
  expect((await textOf(saved[0] as Blob)).trim().split("\r\n")).toHaveLength(231);
  const renewals = true;
  expect(lastRequest(api)).toEqual({ filter: { state: "inlobby" }, first: 100, after: "200", renewals });
});

test("shows the expected name of a device that was not seen yet", async () => {
  const unseen = { devicename: null, expectedName: "pump-7", devstate: "expected" };
  enter(ledger([deviceLine(1, unseen), deviceLine(2, { ...unseen, expectedName: null })]).api);
  expect((await screen.findByRole("link", { name: /pump-7/ })).textContent).toBe("pump-7 expected");
  expect(screen.getByRole("link", { name: "Not seen yet" })).toBeTruthy();
});

test("asks for the last hellos only if their column is shown", async () => {
  const { api } = ledger([deviceLine(1, { lastSeen: "2026-11-22T11:30:00.000Z" })]);
  const { unmount } = enter(api);
  await screen.findByText("sensor-1");
  expect(lastRequest(api)).not.toHaveProperty("hellos");
  unmount();
  localStorage.setItem("device-lobby.columns", JSON.stringify(["name", "lastHello"]));
  enter(api);
  await screen.findByRole("columnheader", { name: "Last hello" });
  await screen.findByText("sensor-1");
  expect(lastRequest(api)).toMatchObject({ hellos: true });
});

test("a list by renewal shows until when, and asks for it", async () => {
  const renewal = (overdue: boolean) => ({
    __typename: "DeviceRenewal",
    stage: "DUE",
    by: "2026-12-24T11:30:00.000Z",
    overdue,
  });
  const lines = [deviceLine(1, { renewal: renewal(true) }), deviceLine(2, { renewal: renewal(false) })];
  const { api } = ledger(lines);
  enter(api, "/devices?renewal=due");
  await screen.findByRole("columnheader", { name: "Renewal" });
  const by = day("2026-12-24T11:30:00.000Z");
  expect((await screen.findAllByText(by)).map((each) => each.parentElement?.textContent)).toEqual([
    `Overdue, by ${by}`,
    `Due, by ${by}`,
  ]);
  expect(lastRequest(api)).toMatchObject({ filter: { renewal: "DUE" }, renewals: true });
});

test("a suspected device is not shown as one that is in order", async () => {
  const placed = { devstate: "arrived", targetaccount: "200000000002", targetregion: "eu-west-1" };
  enter(ledger([deviceLine(1, placed), deviceLine(2, { ...placed, reason: "CLONE_SUSPECTED" })]).api);
  await screen.findByText("sensor-1");
  expect(screen.getByTitle("Connected to its target").textContent).toBe("Arrived");
  const [badge] = screen.getAllByTitle("Its certificate seems to be in use twice");
  expect(badge?.textContent).toBe("Arrived, suspected");
});

test("the filter by renewal is always offered", async () => {
  const { api } = ledger([deviceLine(1)]);
  const { user } = enter(api);
  await screen.findByText("sensor-1");
  expect(lastRequest(api)).not.toHaveProperty("renewals");
  await user.click(screen.getByRole("combobox", { name: "Renewal" }));
  await user.click(await screen.findByRole("option", { name: "Overdue" }));
  await screen.findByRole("columnheader", { name: "Renewal" });
  expect(lastRequest(api)).toMatchObject({ filter: { renewal: "OVERDUE" } });
});

test("sorts all pages by time, and the page by another column", { tags: "full" }, async () => {
  const { api } = ledger(deviceLines(0, 45));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Since" }));
  await screen.findByText(/· Oldest first/);
  expect(lastRequest(api)).toMatchObject({ order: "OLDEST_FIRST", after: null });
  expect(screen.getByRole("columnheader", { name: "Since" }).getAttribute("aria-sort")).toBe("ascending");
  fireEvent.click(screen.getByRole("button", { name: "Since" }));
  await screen.findByText(/· Newest first/);
  expect(lastRequest(api)).not.toHaveProperty("order");
  expect(visited).toEqual(["/devices", "/devices?order=oldest", "/devices"]);
});

test("sorts what a search has found within the page", async () => {
  const { api } = ledger(deviceLines(0, 3));
  enter(api, "/devices?name=sensor");
  await screen.findByText("sensor-0");
  fireEvent.click(screen.getByRole("button", { name: "Since" }));
  await screen.findByText(/· This page by Since/);
  expect(lastRequest(api)).not.toHaveProperty("order");
});
