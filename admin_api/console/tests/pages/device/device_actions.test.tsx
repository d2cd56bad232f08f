/** Actions on a device: the explanation, the request, and failures. */
import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { Refusal } from "../../fake_api";
import { pass, stopClock } from "../clock";
import { begin, deviceRecord, dialog, enter, ID, offered, PLACED } from "./device_fixtures";

stopClock();

test("highlights a failure with its reason, remedy and Retry", async () => {
  const { api } = enter(
    deviceRecord({
      ...PLACED,
      devstate: "failed",
      reason: "TARGET_LIMIT",
      message: "200000000002/eu-west-1 answered no",
    }),
  );
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("A quota of the target account is exhausted")).toBeTruthy();
  expect(alert.getByText(/answered no/)).toBeTruthy();
  api.answer("Retry", { retryDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  fireEvent.click(alert.getByRole("button", { name: "Retry" }));
  const asked = await dialog();
  expect(asked.getByText(/is retried now/)).toBeTruthy();
  fireEvent.click(asked.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("Retrying.")).toBeTruthy();
  expect(api.variablesOf("Retry")).toEqual([{ certid: ID }]);
});

test("explains that revoking is final, requires a reason, and sends it", async () => {
  const { api } = enter(deviceRecord(PLACED));
  api.answer("Revoke", { revokeDevice: { __typename: "Device", certid: ID, devstate: "revoked" } });
  await begin("Revoke");
  const asked = await dialog();
  expect(asked.getByText(/This is final/)).toBeTruthy();
  const button = asked.getByRole("button", { name: "Revoke" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.change(asked.getByRole("textbox", { name: /Reason/ }), {
    target: { value: " stolen\nin Antwerp " },
  });
  fireEvent.click(button);
  expect(await screen.findByText("Revoked permanently.")).toBeTruthy();
  expect(api.variablesOf("Revoke")).toEqual([{ certid: ID, why: "stolen in Antwerp" }]);
});

test("shows an error in the dialog and keeps the input", async () => {
  const { api } = enter(deviceRecord(PLACED));
  api.answer(
    "Revoke",
    new Refusal("FORBIDDEN", "got revokeDevice by a viewer, want one of: operator, admin"),
  );
  await begin("Revoke");
  const asked = await dialog();
  fireEvent.change(asked.getByRole("textbox", { name: /Reason/ }), { target: { value: "stolen" } });
  fireEvent.click(asked.getByRole("button", { name: "Revoke" }));
  expect(await asked.findByText("You don't have permission")).toBeTruthy();
  expect((asked.getByRole("textbox", { name: /Reason/ }) as HTMLTextAreaElement).value).toBe("stolen");
});

test("starts a move at the current target and sends only changes", async () => {
  const { api } = enter(deviceRecord(PLACED));
  api.answer("Move", { moveDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  await begin("Move");
  const asked = await dialog();
  expect(asked.getByText(/keeps working in Rotterdam until/)).toBeTruthy();
  const button = asked.getByRole("button", { name: "Move" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.click(asked.getByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name: /Sydney/ }));
  fireEvent.click(button);
  expect(await screen.findByText("Moving to Sydney.")).toBeTruthy();
  expect(api.variablesOf("Move")).toEqual([
    { certid: ID, target: { account: "300000000003", region: "ap-southeast-2" } },
  ]);
});

test("moves a device with its shadows", async () => {
  const { api } = enter(deviceRecord(PLACED));
  api.answer("Move", { moveDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  await begin("Move");
  const asked = await dialog();
  expect(asked.queryByRole("radiogroup", { name: "Shadows" })).toBeNull();
  fireEvent.click(asked.getByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name: /Sydney/ }));
  fireEvent.click(asked.getByRole("radio", { name: "Migrate" }));
  expect(asked.getByText(/copied to the new target before the device connects there/)).toBeTruthy();
  fireEvent.click(asked.getByRole("button", { name: "Move" }));
  expect(await screen.findByText("Moving to Sydney.")).toBeTruthy();
  expect(api.variablesOf("Move")).toEqual([
    { certid: ID, target: { account: "300000000003", region: "ap-southeast-2" }, shadows: "MIGRATE" },
  ]);
});

test("explains how to connect an expected device, and removes it after a release", async () => {
  const { api } = enter(
    deviceRecord({ ...PLACED, devstate: "expected", devicename: null, allowedActions: ["releaseDevice"] }),
  );
  expect(await screen.findByText(/Power it on and connect it/)).toBeTruthy();
  api.answer("Release", {
    releaseDevice: { __typename: "ReleasedDevice", certid: ID, forgotten: true, device: null },
  });
  await begin("Release");
  fireEvent.click((await dialog()).getByRole("button", { name: "Release" }));
  api.answer("DeviceDetails", { device: null });
  expect(await screen.findByText(/removed, because it never connected/)).toBeTruthy();
  await pass(11_000);
  expect(screen.getByText("Unknown device")).toBeTruthy();
});

test("offers to claim an unknown fingerprint", async () => {
  const { api } = enter(null);
  expect(await screen.findByText("Unknown device")).toBeTruthy();
  expect(offered()).toEqual(["Claim", "Revoke"]);
  api.answer("ClaimOne", { claimDevice: { __typename: "Device", certid: ID, devstate: "expected" } });
  await begin("Claim");
  const asked = await dialog();
  expect(asked.getByText(/It is expected from now on/)).toBeTruthy();
  fireEvent.click(asked.getByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name: /Sydney/ }));
  fireEvent.click(asked.getByRole("button", { name: "Claim" }));
  expect(await screen.findByText("Claimed for Sydney.")).toBeTruthy();
  expect(api.variablesOf("ClaimOne")).toMatchObject([{ certid: ID }]);
});

const PROVING = {
  ...PLACED,
  devstate: "proving",
  showsCode: true,
  triesLeft: 5,
  allowedActions: ["confirmPresence", "moveDevice", "releaseDevice", "retryDevice", "revokeDevice"],
};

test("accepts the presence code on the page", async () => {
  const { api } = enter(deviceRecord(PROVING));
  expect(await screen.findByText(/set up in Rotterdam and sent there immediately/)).toBeTruthy();
  api.answer("ConfirmPresence", {
    confirmPresence: { __typename: "Device", certid: ID, devstate: "claimed" },
  });
  fireEvent.change(screen.getByRole("textbox", { name: "Presence code" }), {
    target: { value: "4829 1375" },
  });
  api.answer("DeviceDetails", { device: deviceRecord({ ...PLACED, devstate: "claimed" }) });
  fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
  await pass(1_000);
  expect(api.variablesOf("ConfirmPresence")).toEqual([{ certid: ID, code: "48291375" }]);
  expect(await screen.findByText("Claimed")).toBeTruthy();
  expect(screen.queryByRole("textbox")).toBeNull();
});

test("explains why a client that shows no codes waits, and offers other actions", async () => {
  enter(
    deviceRecord({
      ...PROVING,
      showsCode: false,
      reason: "CODE_NOT_SHOWN",
      message: "its client does not show codes: update it",
    }),
  );
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText(/: update it/)).toBeTruthy();
  expect(alert.getByRole("button", { name: "Release" })).toBeTruthy();
  expect(screen.queryByRole("textbox", { name: "Presence code" })).toBeNull();
  expect(offered()).toEqual(["Move", "Retry", "Revoke"]);
});

test.each([
  ["arrived", "TARGET_ROLE_DENIED"],
  ["revoked", "REVOKED"],
  ["refused", "REVOKED_BY_ISSUER"],
])("a device that is %s with %s has no Retry next to its cause", async (devstate, reason) => {
  enter(deviceRecord({ ...PLACED, devstate, reason, message: "answered no" }));
  await screen.findByText("answered no");
  expect(screen.getAllByRole("button", { name: "Retry" })).toHaveLength(1);
  expect(offered().indexOf("Retry")).toBeGreaterThan(0);
});

test("asks before it restarts a device that works", async () => {
  const { api } = enter(deviceRecord(PLACED));
  await begin("Retry");
  expect((await dialog()).getByText(/It works, and a retry restarts it/)).toBeTruthy();
  expect(api.variablesOf("Retry")).toEqual([]);
});

test("changes only the config, starting with the present one", async () => {
  const { api } = enter(deviceRecord({ ...PLACED, config: { interval: 60 } }));
  api.answer("Configure", { configureDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  await begin("Change config");
  const asked = await dialog();
  expect(asked.getByText(/It stays in Rotterdam/)).toBeTruthy();
  expect(asked.queryByRole("combobox", { name: "Target" })).toBeNull();
  const field = asked.getByRole("textbox", { name: "Config as JSON" }) as HTMLTextAreaElement;
  expect(JSON.parse(field.value)).toEqual({ interval: 60 });
  const button = asked.getByRole("button", { name: "Change config" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.change(field, { target: { value: '{"interval": 30}' } });
  fireEvent.click(button);
  expect(await screen.findByText(/^Config changed/)).toBeTruthy();
  expect(api.variablesOf("Configure")).toEqual([{ certid: ID, config: { interval: 30 } }]);
});

test("reports a claim that ended after wrong codes", async () => {
  enter(
    deviceRecord({ reason: "PRESENCE_FAILED", message: "5 wrong codes", allowedActions: ["claimDevice"] }),
  );
  expect(await screen.findByText("Its claim ended after five wrong codes")).toBeTruthy();
});

test("offers Renew, explains it, and shows how far the renewal is", async () => {
  const { api } = enter(
    deviceRecord({
      ...PLACED,
      allowedActions: ["renewDevice", "revokeDevice"],
      renewal: {
        __typename: "DeviceRenewal",
        stage: "DUE",
        by: "2026-11-01T00:00:00.000Z",
        overdue: true,
        unable: false,
      },
    }),
  );
  expect(await screen.findByText("Asked each day")).toBeTruthy();
  expect(screen.getByText("The certificate should have been renewed by now.")).toBeTruthy();
  api.answer("Renew", { renewDevice: { __typename: "Device", certid: ID, devstate: "arrived" } });
  await begin("Renew");
  const asked = await dialog();
  expect(asked.getByText(/Both certificates work until then/)).toBeTruthy();
  fireEvent.click(asked.getByRole("button", { name: "Renew" }));
  expect(await screen.findByText("Asked to renew its certificate.")).toBeTruthy();
  expect(api.variablesOf("Renew")).toEqual([{ certid: ID }]);
});
