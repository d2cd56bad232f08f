/** The withdrawal of the offer of a device to another lobby. */
import { fireEvent, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { stopClock } from "../clock";
import { deviceRecord, dialog, enter, ID, OFFERED, PLACED } from "./device_fixtures";

stopClock();

function withdrawn(more: Record<string, unknown>) {
  const result = { __typename: "TransferResult", ok: true, code: null, message: null, ...more };
  return { withdrawTransfers: { __typename: "TransferResults", results: [result] } };
}

test("withdraws an offer, and only this one, after a confirmation", async () => {
  const { api } = enter(deviceRecord({ ...PLACED, transfer: OFFERED }));
  api.answer("Withdraw", withdrawn({}));
  fireEvent.click(await screen.findByRole("button", { name: "Withdraw offer" }));
  const asked = await dialog();
  expect(asked.getByText(/An acceptance of this offer is refused/)).toBeTruthy();
  expect(api.variablesOf("Withdraw")).toEqual([]);
  fireEvent.click(asked.getByRole("button", { name: "Withdraw offer" }));
  expect(await screen.findByText("The offer is withdrawn.")).toBeTruthy();
  expect(api.variablesOf("Withdraw")).toEqual([{ certid: ID, offer: OFFERED.offer }]);
});

test("shows why an offer that was completed meanwhile is not withdrawn", async () => {
  const { api } = enter(deviceRecord({ ...PLACED, transfer: OFFERED }));
  api.answer("Withdraw", withdrawn({ ok: false, code: "NOT_OFFERED", message: "got a device without it" }));
  fireEvent.click(await screen.findByRole("button", { name: "Withdraw offer" }));
  const asked = await dialog();
  fireEvent.click(asked.getByRole("button", { name: "Withdraw offer" }));
  expect(await asked.findByText(/got a device without it/)).toBeTruthy();
});

test.each([
  ["viewer", OFFERED],
  ["operator", { ...OFFERED, step: "completed", endpoint: "b.example", until: OFFERED.expires }],
] as const)("offers no withdrawal to a %s of the transfer %j", async (role, transfer) => {
  enter(deviceRecord({ ...PLACED, transfer }), { role });
  await screen.findByText(/Bob Ltd/);
  expect(screen.queryByRole("button", { name: "Withdraw offer" })).toBeNull();
});
