/** The page of one device: content by state, and actions by role. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { olderText } from "../../../src/pages/device/timeline";
import { type Answer, LOST, Refusal, type Role } from "../../fake_api";
import { pass, stopClock } from "../clock";
import { ALL, deviceRecord, enter, entry, historyCheck, ID, offered, PLACED } from "./device_fixtures";

stopClock();

test("describes the device, its route and its history", async () => {
  enter(
    deviceRecord({
      ...PLACED,
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
  expect(history.getByText(/History verified|Hash chain valid/)).toBeTruthy();
  expect(history.getByText("Connecting → Waiting")).toBeTruthy();
  expect(history.getByText(/receptionist · 2.0 s later/)).toBeTruthy();
});

test.each([
  [true, "Online in the lobby"],
  [false, "Offline in the lobby"],
  [null, "Unknown"],
])("shows the connection %s as %s", async (online, text) => {
  enter(deviceRecord({ online, onlineSince: online === null ? null : "2026-11-22T11:30:00.000Z" }));
  const facts = within(await screen.findByRole("region", { name: "Device" }));
  expect(facts.getByText(text, { exact: false })).toBeTruthy();
});

test("shows a problem of its connections and what to do", async () => {
  const problem = { __typename: "ConnectionProblem", code: "CONNECT_DENIED", place: "lobby", count: 2 };
  enter(
    deviceRecord({
      connectionProblems: [{ ...problem, message: "use its name", lastAt: "2026-11-22T11:30:00.000Z" }],
    }),
  );
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("AWS IoT refused its connections")).toBeTruthy();
  expect(alert.getByText("use its name")).toBeTruthy();
  expect(alert.getByText("CONNECT_DENIED")).toBeTruthy();
});

test("replaces a label code in the address by the fingerprint", async () => {
  const { api, visited } = enter(deviceRecord(), { at: `/devices/${encodeLabel(ID)}` });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(api.variablesOf("DeviceDetails")[0]).toMatchObject({ certid: ID });
  expect(visited.at(-1)).toBe(`/devices/${ID}`);
});

test("reports a mistyped code without a request", async () => {
  const { api } = enter(null, { at: `/devices/${encodeLabel(ID).slice(0, -1)}A` });
  expect(await screen.findByText("Invalid label code")).toBeTruthy();
  expect(api.variablesOf("DeviceDetails")).toEqual([]);
});

test.each<[Role, string[], string[]]>([
  ["operator", ["claimDevice", "revokeDevice"], ["Claim", "Revoke"]],
  ["operator", ALL, ["Move", "Change config", "Release", "Retry", "Revoke"]],
  ["operator", ["releaseDevice"], ["Release"]],
  ["technician", ["claimDevice", "revokeDevice"], ["Claim"]],
])("offers a %s with %j: %j", async (role, allowedActions, want) => {
  enter(deviceRecord({ allowedActions }), { role });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(offered()).toEqual(want);
});

test("offers a viewer nothing", async () => {
  enter(deviceRecord({ allowedActions: ["claimDevice"] }), { role: "viewer" });
  await screen.findByRole("heading", { name: "sensor-7" });
  expect(screen.queryByRole("group", { name: "Actions" })).toBeNull();
});

test("alerts on an invalid history", async () => {
  enter(deviceRecord({ historyIntact: false }));
  expect(await screen.findByText("The history of this device is invalid")).toBeTruthy();
  expect(screen.queryByText(/History verified|Hash chain valid/)).toBeNull();
});

test("shows how much of the history is anchored", async () => {
  enter(deviceRecord(), { verified: historyCheck({ entries: 5, anchored: 3, pending: 2 }) });
  expect(await screen.findByText("History verified (3 of 5, 2 not anchored yet)")).toBeTruthy();
});

test("alerts on a history that differs from its anchors, with the finding", async () => {
  enter(deviceRecord(), { verified: historyCheck({ ok: false, seq: 2, message: "entry 2 is gone" }) });
  expect(await screen.findByText("Finding: entry 2 is gone")).toBeTruthy();
  expect(screen.getByText("The history of this device is invalid")).toBeTruthy();
  expect(screen.queryByText(/History verified|Hash chain valid/)).toBeNull();
});

test("alerts on a device that was removed from the ledger", async () => {
  enter(null, { verified: historyCheck({ ok: false, seq: 2, message: "got no row for the device" }) });
  expect(await screen.findByText("Finding: got no row for the device")).toBeTruthy();
});

test.each<[string, Answer]>([
  ["is lost", LOST],
  ["is an error", new Refusal("INTERNAL", "went wrong")],
  ["is null", { verifyHistory: null }],
])("works without the history check if the response %s", async (_, verified) => {
  enter(deviceRecord(), { verified });
  expect(await screen.findByText("Hash chain valid")).toBeTruthy();
});

test("requests the anchors once per visit", async () => {
  const { api } = enter(deviceRecord({ devstate: "claimed" }));
  await screen.findByRole("heading", { name: "sensor-7" });
  await pass(2_200);
  expect(api.variablesOf("DeviceDetails").length).toBeGreaterThan(1);
  expect(api.variablesOf("HistoryVerified")).toEqual([{ certid: ID }]);
});

test("is titled by the name that its claim expects, also in its dialogs", async () => {
  const expected = { devstate: "expected", devicename: null, expectedName: "pump-7" };
  enter(deviceRecord({ ...PLACED, ...expected, allowedActions: ["releaseDevice"] }));
  expect(await screen.findByRole("heading", { name: "pump-7", level: 1 })).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Release" }));
  expect(within(await screen.findByRole("dialog")).getByText("pump-7")).toBeTruthy();
});

test.each([
  [1, "1 older entry is in the ledger."],
  [2, "2 older entries are in the ledger."],
  [12_345, "12,345 older entries are in the ledger."],
])("says how many entries are not shown: %i", (count, text) => expect(olderText(count)).toBe(text));

test("separates the thousands of large counts", async () => {
  const newest = entry(4_321, "hello", "knocking", "inlobby", "service:receptionist");
  const verified = historyCheck({ entries: 4_321, anchored: 3_000, pending: 1_321 });
  enter(deviceRecord({ history: [newest] }), { verified });
  expect(await screen.findByRole("button", { name: "Show older entries (4,320)" })).toBeTruthy();
  expect(await screen.findByText("History verified (3,000 of 4,321, 1,321 not anchored yet)")).toBeTruthy();
});

test("loads older entries on request", async () => {
  const last50 = Array.from({ length: 50 }, (_, index) =>
    entry(81 + index, "hello", "knocking", "inlobby", "service:receptionist"),
  );
  const { api } = enter(deviceRecord({ history: last50 }));
  fireEvent.click(await screen.findByRole("button", { name: "Show older entries (80)" }));
  await waitFor(() => expect(api.variablesOf("DeviceDetails").at(-1)).toMatchObject({ last: 200 }));
});

test("warns about a certificate that expires soon", async () => {
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
  enter(deviceRecord({ certificate }));
  expect(await screen.findByText(/Expires in 3 days/)).toBeTruthy();
});

test("polls often while the device is about to change, otherwise seldom", async () => {
  const { api } = enter(deviceRecord({ ...PLACED, devstate: "claimed" }));
  await screen.findByRole("heading", { name: "sensor-7" });
  await pass(2_200);
  expect(api.variablesOf("DeviceDetails")).toHaveLength(2);
  api.answer("DeviceDetails", { device: deviceRecord(PLACED) });
  await pass(2_200);
  const seen = api.variablesOf("DeviceDetails").length;
  await pass(5_000);
  expect(api.variablesOf("DeviceDetails")).toHaveLength(seen);
  await pass(6_000);
  expect(api.variablesOf("DeviceDetails")).toHaveLength(seen + 1);
});
