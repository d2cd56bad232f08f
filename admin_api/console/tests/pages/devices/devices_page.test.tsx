/** The device list: the address determines the query, and filters change the address. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { pass, stopClock } from "../clock";
import { certid, deviceLines } from "../fixtures";
import { enter, lastRequest, ledger, type } from "./devices_fixtures";

stopClock();

test("reads the filter from the address", async () => {
  const { api } = ledger(deviceLines(0, 2));
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

test("filters by state with one click and one history step", async () => {
  const { api } = ledger(deviceLines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  fireEvent.click(await screen.findByRole("button", { name: "Failed 17" }));
  await waitFor(() => expect(lastRequest(api)).toMatchObject({ filter: { state: "failed" } }));
  expect(visited).toEqual(["/devices", "/devices?state=failed"]);
});

test("lists the reasons with their meaning", async () => {
  const { api } = ledger(deviceLines(0, 2));
  enter(api, "/devices?state=failed");
  fireEvent.click(await screen.findByRole("combobox", { name: "Reason" }));
  fireEvent.click(await screen.findByRole("option", { name: /TARGET_LIMIT \(3\).*quota/ }));
  await waitFor(() =>
    expect(lastRequest(api)).toMatchObject({ filter: { state: "failed", reason: "TARGET_LIMIT" } }),
  );
});

test("searches after a pause in typing, as one history step", async () => {
  const { api } = ledger(deviceLines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  for (const text of ["s", "se", "sen"]) type(text);
  expect(api.variablesOf("Devices")).toHaveLength(1);
  await pass(500);
  expect(lastRequest(api)).toMatchObject({ filter: { namePrefix: "sen" } });
  type("sensor");
  await pass(500);
  expect(visited).toEqual(["/devices", "/devices?name=sensor"]);
});

test("does not search for one letter, and states why", async () => {
  const { api } = ledger(deviceLines(0, 2));
  enter(api);
  await screen.findByText("sensor-0");
  type("s");
  expect(screen.getByText("Type at least 2 characters.")).toBeTruthy();
  await pass(500);
  expect(api.variablesOf("Devices")).toHaveLength(1);
});

test("offers both kinds for a text that may be a fingerprint or a name", { tags: "full" }, async () => {
  const { api } = ledger(deviceLines(0, 2));
  enter(api);
  await screen.findByText("sensor-0");
  type("3F2A");
  await pass(500);
  expect(lastRequest(api)).toMatchObject({ filter: { fingerprintPrefix: "3f2a" } });
  fireEvent.click(screen.getByRole("radio", { name: "Name" }));
  await waitFor(() => expect(lastRequest(api)).toMatchObject({ filter: { namePrefix: "3F2A" } }));
});

test("opens the device for a complete fingerprint", async () => {
  const { api } = ledger(deviceLines(0, 2));
  const { visited } = enter(api);
  await screen.findByText("sensor-0");
  type(certid(7).toUpperCase());
  expect(visited.at(-1)).toBe(`/devices/${certid(7)}`);
});

test("distinguishes an empty ledger from no matches", async () => {
  const { api } = ledger([]);
  const { unmount } = enter(api);
  expect(await screen.findByText("No devices yet")).toBeTruthy();
  unmount();
  const { visited } = enter(api, "/devices?name=zz");
  expect(await screen.findByText("No matches")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Clear filters" }));
  expect(visited.at(-1)).toBe("/devices");
});
