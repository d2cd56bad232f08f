/** The list of devices: what the address says is what is asked, and what is typed or chosen becomes the address. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { certid, lines } from "../canned";
import { pass, stopClock } from "../clock";
import { asked, enter, ledger, type } from "./ledger_scene";

stopClock();

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
