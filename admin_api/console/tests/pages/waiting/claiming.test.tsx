/** Claiming from the waiting list: one, many, rejections, and roles. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { stopClock } from "../clock";
import { certid, deviceLine, deviceLines } from "../fixtures";
import { box, chooseTarget, enter, lobby, names } from "./waiting_fixtures";

stopClock();

test("claims the selected devices, removes them from the list and links to them", async () => {
  const { api } = lobby(deviceLines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-1"));
  fireEvent.click(box("sensor-3"));
  fireEvent.click(screen.getByRole("button", { name: "Claim 2…" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 2" }));
  const link = await screen.findByRole("link", { name: "View in Devices" });
  expect(link.getAttribute("href")).toBe("/devices?target=200000000002%2Feu-west-1");
  expect(api.variablesOf("ClaimDevices")).toEqual([
    { certids: [certid(1), certid(3)], target: { account: "200000000002", region: "eu-west-1" } },
  ]);
  await waitFor(() => expect(names()).toEqual(["sensor-2"]));
});

test("sends profile and config, and rejects an invalid config", async () => {
  const { api } = lobby([deviceLine(1)]);
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("combobox", { name: "Profile" }));
  fireEvent.click(await screen.findByRole("option", { name: "gateway" }));
  fireEvent.click(screen.getByRole("radio", { name: "JSON" }));
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: "{" } });
  const claim = screen.getByRole("button", { name: "Claim" }) as HTMLButtonElement;
  expect(claim.disabled).toBe(true);
  expect(screen.getByText(/Invalid JSON/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: '{"interval": 60}' } });
  fireEvent.click(claim);
  await screen.findByRole("link", { name: "View in Devices" });
  expect(api.variablesOf("ClaimDevices")[0]).toMatchObject({ profile: "gateway", config: { interval: 60 } });
});

test("lists rejected devices with the reason, and claims them on retry", { tags: "full" }, async () => {
  const taken = new Set([certid(2)]);
  const { api } = lobby(deviceLines(1, 4), (each) => (taken.has(each) ? "ALREADY_CLAIMED" : null));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(screen.getByRole("button", { name: "Claim 3…" }));
  await chooseTarget(/Sydney/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 3" }));
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("1 not claimed")).toBeTruthy();
  expect(alert.getByText("ALREADY_CLAIMED")).toBeTruthy();
  expect(alert.getByRole("link", { name: "sensor-2" })).toBeTruthy();
  taken.clear();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText(/3 claimed for Sydney/);
  expect(api.variablesOf("ClaimDevices").at(-1)).toMatchObject({ certids: [certid(2)] });
});

test("repeats untried devices automatically", async () => {
  let tries = 0;
  const { api } = lobby(deviceLines(1, 3), (each) =>
    each === certid(2) && ++tries === 1 ? "NOT_TRIED" : null,
  );
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(screen.getByRole("button", { name: "Claim 2…" }));
  await chooseTarget(/Sydney/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 2" }));
  await screen.findByText(/2 claimed for Sydney/);
  expect(api.variablesOf("ClaimDevices").map(({ certids }) => certids)).toEqual([
    [certid(1), certid(2)],
    [certid(2)],
  ]);
});

test("shows a viewer the list without claim controls", async () => {
  const { api } = lobby(deviceLines(1, 3));
  await enter(api, "viewer");
  await screen.findByText("sensor-1");
  expect(screen.queryByRole("checkbox")).toBeNull();
  expect(screen.queryByRole("button", { name: /Claim/ })).toBeNull();
});

test("explains who can add a target if there is none", async () => {
  const { api } = lobby([deviceLine(1)]);
  api.answer("Targets", { targets: [] });
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  expect(await screen.findByText(/no target that you can claim for/)).toBeTruthy();
});
