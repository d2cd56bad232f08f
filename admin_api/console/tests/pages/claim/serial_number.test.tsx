/** Claiming by serial number on the claim page. */
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { api, button, EAST, open } from "./claim_page_fixtures";
import { resetPhone, showToCamera } from "./phone";

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

test("a code with a plain serial number on the page opens the dialog with it", async () => {
  const lobby = api({ ClaimSerialNumber: result({ claim: { __typename: "SerialNumberClaim", id: "x" } }) });
  const { user } = open(lobby);
  await screen.findByText("Workshop");
  await user.click(await button("Scan label"));
  showToCamera("pump-17");
  expect(await screen.findByText(/It contains "pump-17", which can be a serial number/)).toBeTruthy();
  await user.click(await button("Claim serial number"));
  expect((await screen.findByLabelText<HTMLInputElement>("Serial number")).value).toBe("pump-17");
  await user.click(await button("Claim"));
  expect(await screen.findByText(/is claimed as soon as it joins/)).toBeTruthy();
  expect(lobby.variablesOf("ClaimSerialNumber")[0]).toMatchObject({ serial: "pump-17" });
});

test("a code that can't be a serial number is not offered", async () => {
  const { user } = open(api());
  await screen.findByText("Workshop");
  await user.click(await button("Scan label"));
  showToCamera("https://maker.test/pump-17");
  expect(await screen.findByText(/This is not a device label. It contains "https:.*"\.$/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Claim serial number" })).toBeNull();
});

test("the camera of the dialog fills in the serial number, and rejects labels and other codes", async () => {
  const { track } = await resetPhone();
  const { user } = open(api());
  await screen.findByText("Workshop");
  await user.click(await button("Claim by serial number"));
  await user.click(await button("Scan serial number"));
  showToCamera("a".repeat(64));
  expect(await screen.findByText(/has the device's fingerprint/)).toBeTruthy();
  showToCamera("two words");
  expect(await screen.findByText(/The code contains "two words"/)).toBeTruthy();
  showToCamera(" SN-0017 ");
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>("Serial number").value).toBe("SN-0017"));
  await waitFor(() => expect(track.stop).toHaveBeenCalled());
  expect(await button("Scan serial number")).toBeTruthy();
});

test("a camera that is blocked is explained", async () => {
  await resetPhone({ cameraFails: "NotAllowedError" });
  const { user } = open(api());
  await screen.findByText("Workshop");
  await user.click(await button("Claim by serial number"));
  await user.click(await button("Scan serial number"));
  expect(await screen.findByText(/Camera access is blocked/)).toBeTruthy();
});
