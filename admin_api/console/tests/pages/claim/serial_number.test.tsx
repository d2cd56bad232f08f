/** Claiming by serial number on the claim page. */
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { api, button, EAST, open } from "./claim_page_fixtures";
import { resetPhone } from "./phone";

vi.mock("../../../src/pages/claim/scanner/detector", async () => (await import("./phone")).fakeDetector());
beforeEach(async () => void (await resetPhone()));

const result = (more: object) => ({
  claimSerialNumbers: {
    results: [
      { serialNumber: "pump-17", ok: true, code: null, message: null, claim: null, device: null, ...more },
    ],
  },
});

async function claim(answer: object) {
  const lobby = api({ ClaimSerialNumber: answer });
  const { user } = open(lobby);
  await screen.findByText("Workshop");
  await user.click(await button("Claim by serial number"));
  await user.type(await screen.findByLabelText("Serial number"), " pump-17 ");
  await user.click(await button("Claim"));
  return lobby;
}

test("a device that has not joined is claimed for the chosen target", async () => {
  const lobby = await claim(result({ claim: { __typename: "SerialNumberClaim", id: "pump-17" } }));
  expect(await screen.findByText(/is claimed as soon as it joins/)).toBeTruthy();
  const target = { account: EAST.account, region: EAST.region };
  await waitFor(() =>
    expect(lobby.variablesOf("ClaimSerialNumber")).toEqual([{ serial: "pump-17", target, profile: null }]),
  );
  expect((screen.getByLabelText("Serial number") as HTMLInputElement).value).toBe("");
});

test("a device that has joined is claimed now", async () => {
  await claim(result({ device: { __typename: "Device", certid: "a".repeat(64), devstate: "claimed" } }));
  expect(await screen.findByText(/is claimed\./)).toBeTruthy();
});

test("a refusal is shown and the serial number stays", async () => {
  await claim(result({ ok: false, code: "ALREADY_CLAIMED", message: "got serial number pump-17, claimed" }));
  expect(await screen.findByText(/got serial number pump-17, claimed/)).toBeTruthy();
  expect((screen.getByLabelText("Serial number") as HTMLInputElement).value).toBe(" pump-17 ");
});
