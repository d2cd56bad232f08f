/** A suspected device and one in quarantine: the evidence, and the actions that help. */
import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { stopClock } from "../clock";
import { begin, deviceRecord, dialog, enter, ID, offered, PLACED } from "./device_fixtures";

stopClock();

const SUSPICION = {
  __typename: "Suspicion",
  at: "2026-11-22T12:00:00.000Z",
  message: "connections from 192.0.2.1 and 198.51.100.7 take its identity from each other in lobby",
  dismissedAt: null,
} as const;

test("shows why a device is suspected, and dismisses that with a note", async () => {
  const allowedActions = ["dismissSuspicion", "quarantineDevice", "revokeDevice"];
  const { api } = enter(
    deviceRecord({ ...PLACED, reason: "CLONE_SUSPECTED", suspicion: SUSPICION, allowedActions }),
  );
  expect(await screen.findByText("Its certificate seems to be in use twice")).toBeTruthy();
  expect(screen.getByText(/192.0.2.1 and 198.51.100.7/)).toBeTruthy();
  api.answer("Dismiss", { dismissSuspicion: { __typename: "Device", certid: ID, devstate: "arrived" } });
  await begin("Dismiss suspicion");
  const asked = await dialog();
  expect(asked.getByText(/The same evidence/)).toBeTruthy();
  const button = asked.getByRole("button", { name: "Dismiss suspicion" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.change(asked.getByRole("textbox", { name: /Reason/ }), { target: { value: "two uplinks" } });
  fireEvent.click(button);
  expect(await screen.findByText("Not suspected any more.")).toBeTruthy();
  expect(api.variablesOf("Dismiss")).toEqual([{ certid: ID, why: "two uplinks" }]);
});

test("offers what helps a suspected device with its evidence", async () => {
  const allowedActions = ["moveDevice", "dismissSuspicion", "quarantineDevice", "revokeDevice"];
  enter(deviceRecord({ ...PLACED, reason: "CLONE_SUSPECTED", suspicion: SUSPICION, allowedActions }));
  const alert = within(
    await screen.findByText(SUSPICION.message).then((each) => each.closest("[role=status]") as HTMLElement),
  );
  expect(alert.getAllByRole("button").map((each) => each.textContent)).toEqual([
    "Dismiss suspicion",
    "Quarantine",
  ]);
  expect(offered()).toEqual(["Move", "Revoke"]);
  expect(screen.getByText("Arrived, suspected")).toBeTruthy();
});

test("shows a suspicion and another problem apart", async () => {
  enter(deviceRecord({ ...PLACED, reason: "TARGET_LIMIT", message: "LimitExceeded", suspicion: SUSPICION }));
  expect(await screen.findByText("Its certificate seems to be in use twice")).toBeTruthy();
  expect(screen.getByText(SUSPICION.message)).toBeTruthy();
  expect(screen.getByText("LimitExceeded")).toBeTruthy();
});

test("only what cannot be undone is red", async () => {
  enter(deviceRecord({ ...PLACED, allowedActions: ["quarantineDevice", "revokeDevice"] }));
  const colorOf = (name: string) =>
    screen.getByRole("button", { name }).style.getPropertyValue("--button-color");
  await screen.findByRole("button", { name: "Quarantine" });
  expect(colorOf("Revoke")).toContain("red");
  expect(colorOf("Quarantine")).not.toContain("red");
});

test("puts a device in quarantine with a reason", async () => {
  const { api } = enter(deviceRecord({ ...PLACED, allowedActions: ["quarantineDevice", "revokeDevice"] }));
  api.answer("Quarantine", {
    quarantineDevice: { __typename: "Device", certid: ID, devstate: "quarantined" },
  });
  await begin("Quarantine");
  const asked = await dialog();
  expect(asked.getByText(/until the quarantine is lifted/)).toBeTruthy();
  fireEvent.change(asked.getByRole("textbox", { name: /Reason/ }), { target: { value: "copied" } });
  fireEvent.click(asked.getByRole("button", { name: "Quarantine" }));
  expect(await screen.findByText(/Its certificate is deactivated/)).toBeTruthy();
  expect(api.variablesOf("Quarantine")).toEqual([{ certid: ID, why: "copied" }]);
});

test("offers to lift a quarantine, and names its cause", async () => {
  const { api } = enter(
    deviceRecord({
      ...PLACED,
      devstate: "quarantined",
      reason: "CLONE_SUSPECTED",
      suspicion: SUSPICION,
      allowedActions: ["retryDevice", "liftQuarantine", "revokeDevice"],
    }),
  );
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText(/192.0.2.1/)).toBeTruthy();
  api.answer("Lift", { liftQuarantine: { __typename: "Device", certid: ID, devstate: "claimed" } });
  const buttons = screen.getAllByRole("button").map((each) => each.textContent);
  expect(buttons.indexOf("Lift quarantine")).toBeLessThan(buttons.indexOf("Retry"));
  await begin("Lift quarantine");
  const asked = await dialog();
  fireEvent.change(asked.getByRole("textbox", { name: /Reason/ }), { target: { value: "seen on site" } });
  fireEvent.click(asked.getByRole("button", { name: "Lift quarantine" }));
  expect(await screen.findByText(/activated again/)).toBeTruthy();
  expect(api.variablesOf("Lift")).toEqual([{ certid: ID, why: "seen on site" }]);
});
