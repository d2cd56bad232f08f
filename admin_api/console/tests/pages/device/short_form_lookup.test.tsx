/** The address of a device with the short form of its label. */
import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { Route } from "wouter";
import DevicePage from "../../../src/pages/device/device_page";
import { beginningOf } from "../../../src/pages/device/short_form_lookup";
import { FakeApi, show } from "../../fake_api";
import { certid, TARGETS } from "../fixtures";
import { deviceRecord, historyCheck, ID } from "./device_fixtures";

function open(path: string, found: string[]) {
  const nodes = found.map((each) => ({ __typename: "Device", certid: each, devicename: "sensor" }));
  const api = new FakeApi({
    Targets: TARGETS,
    DeviceDetails: { device: deviceRecord() },
    HistoryVerified: historyCheck(),
    Beginning: { devices: { __typename: "DevicePage", nodes, pageInfo: { hasNextPage: false } } },
  });
  const page = (
    <Route path="/devices/:certid">
      <DevicePage />
    </Route>
  );
  return { api, ...show(page, api, { at: path }) };
}

test.each([
  ["3f2a91bc07d4", "3f2a91bc07d4"],
  ["3F2A 91BC 07D4", "3f2a91bc07d4"],
  ["3F2A-91BC", "3f2a91bc"],
  ["3f2", null],
  ["sensor-1", null],
  ["a".repeat(64), null],
])("%s begins with %s", (text, want) => expect(beginningOf(text)).toBe(want));

test("opens the only device", async () => {
  const { api, visited } = open(`/devices/${ID.slice(0, 12)}`, [ID]);
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(visited.at(-1)).toBe(`/devices/${ID}`);
  expect(api.variablesOf("Beginning")).toEqual([{ filter: { fingerprintPrefix: ID.slice(0, 12) } }]);
});

test("lists several devices", async () => {
  const { visited } = open("/devices/0007", [certid(7), `0007${"b".repeat(60)}`]);
  expect(await screen.findByText("Several devices found")).toBeTruthy();
  const links = screen.getAllByRole("link").map((link) => link.getAttribute("href"));
  expect(links).toEqual(expect.arrayContaining([`/devices/${certid(7)}`, `/devices/0007${"b".repeat(60)}`]));
  expect(visited).toHaveLength(1);
});

test("says that there is none", async () => {
  open("/devices/ffff", []);
  await waitFor(() => expect(screen.getByText("No device found")).toBeTruthy());
});
