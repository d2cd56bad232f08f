/** The page of one device: what it says in each state, and what is offered to whom. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { type Answer, LOST, Refusal, type Role } from "../../fake_api";
import { pass, stopClock } from "../clock";
import { ALL, AT_HOME, enter, entry, ID, offered, verdict, whole } from "./device_scene";

stopClock();

test("what it is, where it goes and what befell it are told in words", async () => {
  enter(
    whole({
      ...AT_HOME,
      endpoint: "a1-ats.iot.eu-west-1.amazonaws.com",
      config: { interval: 60 },
      claimedBy: "user:anna",
      previousTargets: [{ __typename: "Target", account: "300000000003", region: "ap-southeast-2" }],
    }),
  );
  expect(await screen.findByRole("heading", { name: "sensor-7" })).toBeTruthy();
  const route = within(screen.getByRole("region", { name: "Route" }));
  expect(await route.findByText("Rotterdam")).toBeTruthy();
  expect(route.getByText(/"interval": 60/)).toBeTruthy();
  expect(route.getByText("Being cleared")).toBeTruthy();
  expect(within(screen.getByRole("region", { name: "Device" })).getByText("anna")).toBeTruthy();
  const history = within(screen.getByRole("region", { name: "History" }));
  expect(history.getByText(/chain of entries is whole/)).toBeTruthy();
  expect(history.getByText("Knocking → In the lobby")).toBeTruthy();
  expect(history.getByText(/receptionist · 2.0 s later/)).toBeTruthy();
});

test("a label's code leads to the fingerprint's address", async () => {
  const { api, visited } = enter(whole(), { at: `/devices/${encodeLabel(ID)}` });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(api.variablesOf("DeviceWhole")[0]).toMatchObject({ certid: ID });
  expect(visited.at(-1)).toBe(`/devices/${ID}`);
});

test("a mistyped code is told as one, and nothing is asked", async () => {
  const { api } = enter(null, { at: `/devices/${encodeLabel(ID).slice(0, -1)}A` });
  expect(await screen.findByText("The code has a typing mistake")).toBeTruthy();
  expect(api.variablesOf("DeviceWhole")).toEqual([]);
});

test.each<[Role, string[], string[]]>([
  ["operator", ["claimDevice", "revokeDevice"], ["Claim", "Revoke"]],
  ["operator", ALL, ["Retry", "Move", "Release", "Revoke"]],
  ["operator", ["releaseDevice"], ["Release"]],
  ["technician", ["claimDevice", "revokeDevice"], ["Claim"]],
])("a %s who may %j is offered %j", async (role, allowedActions, want) => {
  enter(whole({ allowedActions }), { role });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(offered()).toEqual(want);
});

test("a viewer is offered nothing", async () => {
  enter(whole({ allowedActions: ["claimDevice"] }), { role: "viewer" });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(screen.queryByRole("group", { name: "Actions" })).toBeNull();
});

test("a history that is not whole is an alarm", async () => {
  enter(whole({ historyIntact: false }));
  expect(await screen.findByText("The history of this device is not whole")).toBeTruthy();
  expect(screen.queryByText(/chain of entries is whole/)).toBeNull();
});

test("how much of it is anchored is said", async () => {
  enter(whole(), { verified: verdict({ entries: 5, anchored: 3, pending: 2 }) });
  expect(await screen.findByText(/ 3 of 5 were as anchored .*, 2 new ones not yet/)).toBeTruthy();
});

test("a history that is not what was anchored is an alarm that says what was found", async () => {
  enter(whole(), { verified: verdict({ ok: false, seq: 2, message: "entry 2 is gone" }) });
  expect(await screen.findByText("Found: entry 2 is gone")).toBeTruthy();
  expect(screen.getByText("The history of this device is not whole")).toBeTruthy();
  expect(screen.queryByText(/chain of entries is whole/)).toBeNull();
});

test("so is one of a device that somebody took out of the ledger", async () => {
  enter(null, { verified: verdict({ ok: false, seq: 2, message: "got no row for the device" }) });
  expect(await screen.findByText("Found: got no row for the device")).toBeTruthy();
});

test.each<[string, Answer]>([
  ["does not come", LOST],
  ["is a refusal", new Refusal("INTERNAL", "went wrong")],
  ["is that it was never here", { verifyHistory: null }],
])("the page does without the verdict where the answer %s", async (_, verified) => {
  enter(whole(), { verified });
  expect(await screen.findByText(/chain of entries is whole: none was altered or removed\.$/)).toBeTruthy();
});

test("the anchors are asked once, however often the device is looked at", async () => {
  const { api } = enter(whole({ devstate: "claimed" }));
  await screen.findByRole("heading", { name: "sensor-7" });
  await pass(2_200);
  expect(api.variablesOf("DeviceWhole").length).toBeGreaterThan(1);
  expect(api.variablesOf("HistoryVerified")).toEqual([{ certid: ID }]);
});

test("older entries are loaded when they are asked for", async () => {
  const last50 = Array.from({ length: 50 }, (_, index) =>
    entry(81 + index, "hello", "knocking", "inlobby", "service:receptionist"),
  );
  const { api } = enter(whole({ history: last50 }));
  fireEvent.click(await screen.findByRole("button", { name: "Show older ones (80)" }));
  await waitFor(() => expect(api.variablesOf("DeviceWhole").at(-1)).toMatchObject({ last: 200 }));
});

test("a certificate that runs out soon says so", async () => {
  const notAfter = new Date(Date.now() + 3 * 86_400_000 + 60_000).toISOString();
  const certificate = {
    __typename: "CertificateFacts",
    subject: "CN=sensor-7",
    issuer: "CN=Acme",
    serialNumber: "4f",
    notBefore: "2025-01-01T00:00:00Z",
    notAfter,
    key: "EC P-256",
    signature: "ECDSA SHA-256",
  };
  enter(whole({ certificate }));
  expect(await screen.findByText(/Expires in 3 days/)).toBeTruthy();
});

test("it is looked at often while something is about to happen, and seldom at rest", async () => {
  const { api } = enter(whole({ ...AT_HOME, devstate: "claimed" }));
  await screen.findByRole("heading", { name: "sensor-7" });
  await pass(2_200);
  expect(api.variablesOf("DeviceWhole")).toHaveLength(2);
  api.answer("DeviceWhole", { device: whole(AT_HOME) });
  await pass(2_200);
  const seen = api.variablesOf("DeviceWhole").length;
  await pass(5_000);
  expect(api.variablesOf("DeviceWhole")).toHaveLength(seen);
  await pass(6_000);
  expect(api.variablesOf("DeviceWhole")).toHaveLength(seen + 1);
});
