/** The enrolments page: the list, creating one, and changing its state. */

import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import EnrolmentsPage from "../../../src/pages/enrolments/enrolments_page";
import { periodText } from "../../../src/pages/enrolments/texts";
import { day, utcDay } from "../../../src/parts/day";
import { FakeApi, Refusal, type Role, show } from "../../fake_api";
import { ROTTERDAM, TARGETS } from "../fixtures";

const PUMPS = {
  __typename: "Enrolment",
  name: "pumps",
  state: "active",
  limit: 500,
  starts: null,
  ends: "2026-12-31T00:00:00.000Z",
  model: null,
  admitted: 125,
  listLength: null,
  createdBy: "user:admin",
  createdAt: "2026-11-20T10:00:00.000Z",
  match: { ca: null, subject: [{ field: "O", value: "Acme" }], namePattern: "pump-*", listed: false },
  allocation: {
    targets: [{ account: ROTTERDAM.account, region: ROTTERDAM.region, weight: 1 }],
    function: null,
  },
  refusals: [{ reason: "ENROLMENT_FULL", count: 3 }],
  door: "registration",
  claimCertificates: [],
  signer: null,
};
const LATER = "2126-12-31T00:00:00.000Z";
const PAST = "2025-12-31T00:00:00.000Z";
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab";
const PEM = "-----BEGIN CERTIFICATE-----";
const lists = (...enrolments: object[]) => ({ EnrolmentList: { enrolments }, Targets: TARGETS });
const row = () => screen.findByRole("listitem", { name: "pumps" });

test("shows conditions, target, progress against the limit and refusals by reason", async () => {
  show(<EnrolmentsPage />, new FakeApi(lists(PUMPS)));
  const found = within(await row());
  expect(found.getByText("Name pump-*, O = Acme")).toBeDefined();
  expect(await found.findByText("Claimed for Rotterdam")).toBeDefined();
  expect(found.getByText("125 of 500 devices admitted")).toBeDefined();
  expect(
    found.getByText("3 devices refused: Its enrolment has admitted as many devices as it may"),
  ).toBeDefined();
  expect(found.getByText(`Admits devices before ${utcDay(PUMPS.ends)} (UTC)`)).toBeDefined();
});

const DECEMBER = { starts: "2026-12-01T00:00:00.000Z", ends: "2026-12-31T00:00:00.000Z" };
test.each([
  [{ starts: null, ends: null }, undefined],
  [{ ...DECEMBER, ends: null }, `Admits devices from ${utcDay(DECEMBER.starts)} (UTC)`],
  [DECEMBER, `Admits devices from ${utcDay(DECEMBER.starts)} and before ${utcDay(DECEMBER.ends)} (UTC)`],
])("says when it admits devices: %o", (period, text) => expect(periodText(period)).toBe(text));

test("shows weights, lists and functions", async () => {
  const targets = [
    { account: ROTTERDAM.account, region: ROTTERDAM.region, weight: 3 },
    { account: "900000000009", region: "eu-west-1", weight: 1 },
  ];
  const listed = { ca: null, subject: [], namePattern: null, listed: true };
  const weighted = {
    ...PUMPS,
    limit: null,
    match: listed,
    listLength: 1200,
    allocation: { targets, function: null },
  };
  const chosen = {
    ...PUMPS,
    name: "chosen",
    allocation: { targets: [], function: "device-lobby-allocation-a" },
  };
  show(<EnrolmentsPage />, new FakeApi(lists(weighted, chosen)));
  const found = within(await row());
  expect(found.getByText("One of 1,200 serial numbers")).toBeDefined();
  expect(await found.findByText("Claimed for Rotterdam (75 %), 900000000009/eu-west-1 (25 %)")).toBeDefined();
  expect(found.getByText("125 devices admitted")).toBeDefined();
  expect(screen.getByText("Claimed for the target that device-lobby-allocation-a chooses")).toBeDefined();
});

test("shows claim certificates with their expiry, and warns before it", async () => {
  const certificate = (digit: string, state: string, expires: string) => ({
    __typename: "ClaimCertificate",
    certificateId: digit.repeat(64),
    state,
    expires,
  });
  const soon = new Date(Date.now() + 86_400_000).toISOString();
  const claimCertificates = [
    certificate("a", "active", LATER),
    certificate("b", "active", soon),
    certificate("c", "revoked", LATER),
    certificate("d", "expired", PAST),
  ];
  const match = { ca: null, subject: [], namePattern: null, listed: false };
  const none = { ...PUMPS, name: "none", door: "claim", match };
  show(<EnrolmentsPage />, new FakeApi(lists({ ...PUMPS, door: "claim", match, claimCertificates }, none)));
  const found = within(await row());
  expect(found.getByText("With a claim certificate, any serial number")).toBeDefined();
  expect(found.getByText(`Claim certificate aaaaaaaaaaaa…: expires on ${day(LATER)}`)).toBeDefined();
  expect(found.getByText(`Claim certificate bbbbbbbbbbbb…: expires on ${day(soon)}`)).toBeDefined();
  expect(found.getByText(`Claim certificate cccccccccccc…: revoked, expires on ${day(LATER)}`)).toBeDefined();
  expect(found.getByText(`Claim certificate dddddddddddd…: expired on ${day(PAST)}`)).toBeDefined();
  expect(screen.getByText(/No claim certificate: lobbyctl/)).toBeDefined();
});

test.each([
  [{ profile: "camera", presence: true }, "by default with profile camera, with proof of presence"],
  [{ profile: null, presence: true }, "with proof of presence"],
  [{ profile: "camera", presence: false }, "by default with profile camera"],
])("shows the defaults of users' claims: %o", async (defaults, text) => {
  const allocation = { targets: [], function: null, ...defaults };
  show(<EnrolmentsPage />, new FakeApi(lists({ ...PUMPS, allocation })));
  expect(within(await row()).getByText(`Devices wait for a claim, ${text}`)).toBeDefined();
});

test("explains what happens without enrolments", async () => {
  show(<EnrolmentsPage />, new FakeApi(lists()));
  expect(await screen.findByText("No enrolments")).toBeDefined();
});

test.each<[Role, boolean]>([
  ["operator", false],
  ["admin", true],
])("only an admin creates: %s", async (role, may) => {
  show(<EnrolmentsPage />, new FakeApi(lists(PUMPS)), { role });
  await row();
  expect(screen.queryByRole("button", { name: "Create enrolment" }) !== null).toBe(may);
});

test("creates an enrolment with what is filled in", async () => {
  const api = new FakeApi({
    ...lists(),
    CreateEnrolment: { createEnrolment: { __typename: "Enrolment", name: "x" } },
  });
  const { user } = show(<EnrolmentsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "Create enrolment" }));
  await user.type(await screen.findByLabelText("Name"), "pumps");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(/Fill in at least one condition/)).toBeDefined();
  await user.type(screen.getByLabelText("Device names"), "pump-*");
  await user.type(screen.getByLabelText("Limit"), "500");
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(api.variablesOf("CreateEnrolment")).toHaveLength(1));
  expect(api.variablesOf("CreateEnrolment")[0]).toEqual({
    name: "pumps",
    door: "registration",
    match: { namePattern: "pump-*", ca: null, subject: null },
    limit: 500,
    ends: null,
    allocation: null,
    signer: null,
  });
  await waitFor(() => expect(screen.queryByLabelText("Device names")).toBeNull());
});

test("creates an enrolment with defaults of users' claims", { tags: "full" }, async () => {
  const api = new FakeApi({
    ...lists(),
    CreateEnrolment: { createEnrolment: { __typename: "Enrolment", name: "x" } },
  });
  const { user } = show(<EnrolmentsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "Create enrolment" }));
  await user.type(await screen.findByLabelText("Name"), "pumps");
  await user.type(screen.getByLabelText("Device names"), "pump-*");
  await user.type(screen.getByLabelText("Profile"), " camera ");
  await user.click(screen.getByLabelText("Text"));
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText("Config: Enter text.")).toBeDefined();
  expect(api.variablesOf("CreateEnrolment")).toHaveLength(0);
  await user.type(screen.getByLabelText("Config as text"), "mine");
  await user.click(screen.getByLabelText("Require proof of presence"));
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(api.variablesOf("CreateEnrolment")).toHaveLength(1));
  expect(api.variablesOf("CreateEnrolment")[0]).toMatchObject({
    allocation: { profile: "camera", config: "mine", presence: true },
  });
});

test("creates an enrolment of door token, whose devices have no certificate to compare", {
  tags: "full",
}, async () => {
  const api = new FakeApi({
    ...lists(),
    CreateEnrolment: { createEnrolment: { __typename: "Enrolment", name: "x" } },
  });
  const { user } = show(<EnrolmentsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "Create enrolment" }));
  await user.type(await screen.findByLabelText("Name"), "gateways");
  await user.type(screen.getByLabelText("Organization"), "Acme");
  await user.selectOptions(screen.getByLabelText("Door"), "claim");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(/Enter a limit/)).toBeDefined();
  await user.selectOptions(screen.getByLabelText("Door"), "token");
  expect(screen.queryByLabelText("Organization")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(api.variablesOf("CreateEnrolment")).toHaveLength(1));
  expect(api.variablesOf("CreateEnrolment")[0]).toMatchObject({
    name: "gateways",
    door: "token",
    match: { namePattern: null, ca: null, subject: null },
  });
});

test("shows the CA that issues its certificates", async () => {
  const signer = { __typename: "Signer", key: KEY, days: 730 };
  show(<EnrolmentsPage />, new FakeApi(lists({ ...PUMPS, signer })));
  const text = "Own CA issues certificates for 730 days: key 1234abcd-12ab in eu-west-1";
  expect(within(await row()).getByText(text)).toBeDefined();
});

test("creates an enrolment whose certificates an own CA issues, and shows why the API rejects its key", async () => {
  const message = "got key x, want one that the deployment names in signingKeys";
  const api = new FakeApi({ ...lists(), CreateEnrolment: new Refusal("INVALID_SIGNER", message) });
  const { user } = show(<EnrolmentsPage />, api, { role: "admin" });
  await user.click(await screen.findByRole("button", { name: "Create enrolment" }));
  const paste = async (label: string, text: string) => {
    await user.click(await screen.findByLabelText(label));
    await user.paste(text);
  };
  await paste("Name", "gateways");
  await user.selectOptions(screen.getByLabelText("Door"), "token");
  await user.selectOptions(screen.getByLabelText("Certificates issued by"), "own");
  expect(screen.getByText(/must send a signing request/)).toBeDefined();
  await paste("Key", KEY);
  await paste("CA certificate", PEM);
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(message, { exact: false })).toBeDefined();
  const signer = { key: KEY, caCertificate: PEM, days: 3650 };
  expect(api.variablesOf("CreateEnrolment")[0]).toMatchObject({ door: "token", signer });
});

test("shows why an enrolment was rejected and keeps the form", async () => {
  const refusal = new Refusal(
    "ENROLMENT_AMBIGUOUS",
    "got conditions that match some of the devices of pumps",
  );
  const { user } = show(<EnrolmentsPage />, new FakeApi({ ...lists(), CreateEnrolment: refusal }), {
    role: "admin",
  });
  await user.click(await screen.findByRole("button", { name: "Create enrolment" }));
  await user.type(await screen.findByLabelText("Name"), "more");
  await user.type(screen.getByLabelText("Device names"), "*-1");
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(/match some of the devices of pumps/)).toBeDefined();
  expect((screen.getByLabelText("Device names") as HTMLInputElement).value).toBe("*-1");
});

test.each([
  ["active", "Pause", "PauseEnrolment"],
  ["paused", "Resume", "ResumeEnrolment"],
  ["active", "Revoke", "RevokeEnrolment"],
])("an enrolment that is %s: %s", async (state, action, operation) => {
  const answer = { [`${operation[0]?.toLowerCase()}${operation.slice(1)}`]: { ...PUMPS } };
  const api = new FakeApi({ ...lists({ ...PUMPS, state }), [operation]: answer });
  const { user } = show(<EnrolmentsPage />, api, { role: "operator" });
  await row();
  await user.click(screen.getByRole("button", { name: `${action} pumps` }));
  await user.click(await screen.findByRole("button", { name: action }));
  await waitFor(() => expect(api.variablesOf(operation)).toEqual([{ name: "pumps" }]));
});

test("a revoked enrolment has no actions", async () => {
  show(<EnrolmentsPage />, new FakeApi(lists({ ...PUMPS, state: "revoked" })), { role: "admin" });
  expect(within(await row()).queryAllByRole("button")).toEqual([]);
});
