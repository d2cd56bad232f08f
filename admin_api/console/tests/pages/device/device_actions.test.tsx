/** What is done to a device from its page: said before, sent as meant, and refused without a loss. */
import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { Refusal } from "../../fake_api";
import { pass, stopClock } from "../clock";
import { AT_HOME, begin, dialog, enter, ID, offered, whole } from "./device_scene";

stopClock();

test("why it failed stands out, with what to do and the way to try again", async () => {
  const { api } = enter(
    whole({
      ...AT_HOME,
      devstate: "failed",
      reason: "TARGET_LIMIT",
      message: "200000000002/eu-west-1 answered no",
    }),
  );
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("A quota of the target account is used up")).toBeTruthy();
  expect(alert.getByText(/answered no/)).toBeTruthy();
  api.answer("Retry", { retryDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  fireEvent.click(alert.getByRole("button", { name: "Retry" }));
  const asked = await dialog();
  expect(asked.getByText(/is tried again now/)).toBeTruthy();
  fireEvent.click(asked.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("It is being tried again.")).toBeTruthy();
  expect(api.variablesOf("Retry")).toEqual([{ certid: ID }]);
});

test("a revocation says that it is final, wants a reason, and sends it", async () => {
  const { api } = enter(whole(AT_HOME));
  api.answer("Revoke", { revokeDevice: { __typename: "Device", certid: ID, devstate: "revoked" } });
  await begin("Revoke");
  const asked = await dialog();
  expect(asked.getByText(/This is final/)).toBeTruthy();
  const button = asked.getByRole("button", { name: "Revoke" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.change(asked.getByRole("textbox", { name: /Why/ }), {
    target: { value: " stolen\nin Antwerp " },
  });
  fireEvent.click(button);
  expect(await screen.findByText("Revoked, for good.")).toBeTruthy();
  expect(api.variablesOf("Revoke")).toEqual([{ certid: ID, why: "stolen in Antwerp" }]);
});

test("a refusal is shown where it was asked, and what was typed is still there", async () => {
  const { api } = enter(whole(AT_HOME));
  api.answer(
    "Revoke",
    new Refusal("FORBIDDEN", "got revokeDevice by a viewer, want one of: operator, admin"),
  );
  await begin("Revoke");
  const asked = await dialog();
  fireEvent.change(asked.getByRole("textbox", { name: /Why/ }), { target: { value: "stolen" } });
  fireEvent.click(asked.getByRole("button", { name: "Revoke" }));
  expect(await asked.findByText("You may not do this")).toBeTruthy();
  expect((asked.getByRole("textbox", { name: /Why/ }) as HTMLTextAreaElement).value).toBe("stolen");
});

test("a move begins where the device is, and sends only what is new", async () => {
  const { api } = enter(whole(AT_HOME));
  api.answer("Move", { moveDevice: { __typename: "Device", certid: ID, devstate: "claimed" } });
  await begin("Move");
  const asked = await dialog();
  expect(asked.getByText(/works on in Rotterdam until/)).toBeTruthy();
  const button = asked.getByRole("button", { name: "Move" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.click(asked.getByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name: /Sydney/ }));
  fireEvent.click(button);
  expect(await screen.findByText("On its way to Sydney.")).toBeTruthy();
  expect(api.variablesOf("Move")).toEqual([
    { certid: ID, target: { account: "300000000003", region: "ap-southeast-2" } },
  ]);
});

test("a device that was never seen says what to do, and is forgotten when it is released", async () => {
  const { api } = enter(
    whole({ ...AT_HOME, devstate: "expected", devicename: null, allowedActions: ["releaseDevice"] }),
  );
  expect(await screen.findByText(/power it on and connect it/)).toBeTruthy();
  api.answer("Release", {
    releaseDevice: { __typename: "ReleasedDevice", certid: ID, forgotten: true, device: null },
  });
  await begin("Release");
  fireEvent.click((await dialog()).getByRole("button", { name: "Release" }));
  api.answer("DeviceWhole", { device: null });
  expect(await screen.findByText(/Forgotten: it was never seen/)).toBeTruthy();
  await pass(11_000);
  expect(screen.getByText("Nobody knows this device")).toBeTruthy();
});

test("a fingerprint that nobody knows can be expected", async () => {
  const { api } = enter(null);
  expect(await screen.findByText("Nobody knows this device")).toBeTruthy();
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
  ...AT_HOME,
  devstate: "proving",
  showsCode: true,
  triesLeft: 5,
  allowedActions: ["confirmPresence", "moveDevice", "releaseDevice", "retryDevice", "revokeDevice"],
};

test("one that waits for its code takes it on the page, and is set up", async () => {
  const { api } = enter(whole(PROVING));
  expect(await screen.findByText(/set up in Rotterdam and sent there at once/)).toBeTruthy();
  api.answer("ConfirmPresence", {
    confirmPresence: { __typename: "Device", certid: ID, devstate: "claimed" },
  });
  fireEvent.change(screen.getByRole("textbox", { name: "Code on the device" }), {
    target: { value: "4829 1375" },
  });
  api.answer("DeviceWhole", { device: whole({ ...AT_HOME, devstate: "claimed" }) });
  fireEvent.click(screen.getByRole("button", { name: "Confirm" }));
  await pass(1_000);
  expect(api.variablesOf("ConfirmPresence")).toEqual([{ certid: ID, code: "48291375" }]);
  expect(await screen.findByText("Claimed")).toBeTruthy();
  expect(screen.queryByRole("textbox")).toBeNull();
});

test("one whose client shows no codes says why it waits, and whom it was asked of may go on otherwise", async () => {
  enter(
    whole({
      ...PROVING,
      showsCode: false,
      reason: "CODE_NOT_SHOWN",
      message: "its client does not show codes: update it",
    }),
  );
  expect(await screen.findByText(/update it/)).toBeTruthy();
  expect(offered()).toEqual(["Retry", "Move", "Release", "Revoke"]);
});

test("one whose claim wrong codes ended says so", async () => {
  enter(whole({ reason: "PRESENCE_FAILED", message: "5 wrong codes", allowedActions: ["claimDevice"] }));
  expect(await screen.findByText("Five wrong codes ended its claim")).toBeTruthy();
});
