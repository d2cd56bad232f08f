/** The page of one device: what it says in each state, and what may be done there by whom. */
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Route } from "wouter";
import { encodeLabel } from "../../../src/label/label";
import DevicePage from "../../../src/pages/device/device_page";
import { FakeApi, Refusal, type Role, show } from "../../fake_api";
import { certid, line, TARGETS } from "../canned";

const ID = certid(7);
const ALL = ["moveDevice", "releaseDevice", "retryDevice", "revokeDevice"];

// jsdom takes long to tell roles on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
});

function entry(seq: number, event: string, before: string | null, after: string | null, actor: string) {
  const at = new Date(Date.UTC(2026, 10, 22, 12, 0, seq * 2)).toISOString();
  return {
    __typename: "HistoryEntry",
    seq,
    at,
    actor,
    event,
    before,
    after,
    generation: 0,
    reason: null,
    target: null,
  };
}

function whole(more: Record<string, unknown> = {}) {
  return {
    ...line(7),
    message: null,
    config: "default",
    endpoint: null,
    previousTargets: [],
    lastSeen: null,
    clientVersion: null,
    labelCode: encodeLabel(ID),
    certificate: null,
    history: [
      entry(1, "admit", null, "knocking", "service:bouncer"),
      entry(2, "hello", "knocking", "inlobby", "service:receptionist"),
    ],
    historyIntact: true,
    ...more,
  };
}

const AT_HOME = {
  devstate: "arrived",
  targetaccount: "200000000002",
  targetregion: "eu-west-1",
  allowedActions: ALL,
};

function enter(device: object | null, { role = "operator" as Role, at = `/devices/${ID}` } = {}) {
  const api = new FakeApi({ Targets: TARGETS, DeviceWhole: { device } });
  const page = (
    <Route path="/devices/:certid">
      <DevicePage />
    </Route>
  );
  return { api, ...show(page, api, { role, at }) };
}

const begin = async (action: string) => fireEvent.click(await screen.findByRole("button", { name: action }));
const dialog = async () => within(await screen.findByRole("dialog"));
const offered = () =>
  within(screen.getByRole("group", { name: "Actions" }))
    .getAllByRole("button")
    .map((button) => button.textContent);
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

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

test("a history that is not whole is an alarm", async () => {
  enter(whole({ historyIntact: false }));
  expect(await screen.findByText("The history of this device is not whole")).toBeTruthy();
  expect(screen.queryByText(/chain of entries is whole/)).toBeNull();
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
