/** Claiming from the lobby's list: one, many, with refusals, and by whom. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { certid, line, lines } from "../canned";
import { stopClock } from "../clock";
import { box, chooseTarget, enter, lobby, names } from "./lobby_scene";

stopClock();

test("the selected are claimed, leave the list, and can be followed", async () => {
  const { api } = lobby(lines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-1"));
  fireEvent.click(box("sensor-3"));
  fireEvent.click(screen.getByRole("button", { name: "Claim 2…" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 2" }));
  const link = await screen.findByRole("link", { name: "follow them in Devices" });
  expect(link.getAttribute("href")).toBe("/devices?target=200000000002%2Feu-west-1");
  expect(api.variablesOf("ClaimDevices")).toEqual([
    { certids: [certid(1), certid(3)], target: { account: "200000000002", region: "eu-west-1" } },
  ]);
  await waitFor(() => expect(names()).toEqual(["sensor-2"]));
});

test("profile and config go with the claim, and a config that is none is not sent", async () => {
  const { api } = lobby([line(1)]);
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("combobox", { name: "Profile" }));
  fireEvent.click(await screen.findByRole("option", { name: "gateway" }));
  fireEvent.click(screen.getByRole("radio", { name: "JSON" }));
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: "{" } });
  const claim = screen.getByRole("button", { name: "Claim" }) as HTMLButtonElement;
  expect(claim.disabled).toBe(true);
  expect(screen.getByText(/got no JSON/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: '{"interval": 60}' } });
  fireEvent.click(claim);
  await screen.findByRole("link", { name: "follow it in Devices" });
  expect(api.variablesOf("ClaimDevices")[0]).toMatchObject({ profile: "gateway", config: { interval: 60 } });
});

test("who was refused is listed with why, can be tried again, and the others are claimed", async () => {
  const taken = new Set([certid(2)]);
  const { api } = lobby(lines(1, 4), (each) => (taken.has(each) ? "ALREADY_CLAIMED" : null));
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
  fireEvent.click(screen.getByRole("button", { name: "Try it again" }));
  await screen.findByText(/3 claimed for Sydney/);
  expect(api.variablesOf("ClaimDevices").at(-1)).toMatchObject({ certids: [certid(2)] });
});

test("what there was no time for is sent again by itself", async () => {
  let tries = 0;
  const { api } = lobby(lines(1, 3), (each) => (each === certid(2) && ++tries === 1 ? "NOT_TRIED" : null));
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

test("a viewer sees who waits, and nothing to claim them with", async () => {
  const { api } = lobby(lines(1, 3));
  await enter(api, "viewer");
  await screen.findByText("sensor-1");
  expect(screen.queryByRole("checkbox")).toBeNull();
  expect(screen.queryByRole("button", { name: /Claim/ })).toBeNull();
});

test("without a target there is nothing to choose, and it is said who can mend that", async () => {
  const { api } = lobby([line(1)]);
  api.answer("Targets", { targets: [] });
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  expect(await screen.findByText(/no target that you may claim for/)).toBeTruthy();
});
