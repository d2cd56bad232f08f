/** The campaigns page: progress, failures, waits and actions; creating one from a filter; results as CSV. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import CampaignsPage from "../../../src/pages/campaigns/campaigns_page";
import type { Campaign, Result } from "../../../src/pages/campaigns/operations";
import {
  csvOf,
  endText,
  failureText,
  partsOf,
  previewOf,
  progressOf,
  shareOf,
  waitOf,
  whatOf,
} from "../../../src/pages/campaigns/texts";
import { FakeApi, Refusal, show } from "../../fake_api";
import { savedFiles } from "../../saved_files";
import { ROTTERDAM, TARGETS } from "../fixtures";

const saved = savedFiles();

const COUNTS = {
  __typename: "CampaignCounts",
  pending: 668,
  waiting: 12,
  awaited: 0,
  done: 320,
  failed: 0,
  refused: 0,
  unchanged: 0,
  superseded: 0,
};
const MOVE = {
  __typename: "Campaign",
  name: "to-rotterdam",
  operation: "MOVE",
  state: "running",
  stoppedBecause: null,
  source: "filter",
  sourceCampaign: null,
  undoes: null,
  undoneBy: null,
  createdBy: "user:ada",
  createdAt: "2026-11-30T10:00:00.000Z",
  approvedBy: null,
  startedAt: "2026-11-30T10:00:01.000Z",
  endedAt: null,
  canary: 0,
  canaryArrived: 0,
  total: 1000,
  changing: 1000,
  expectedEnd: "2026-11-30T10:02:00.000Z",
  waitsFor: null,
  allowedActions: ["pauseCampaign", "cancelCampaign"],
  target: { __typename: "Target", account: ROTTERDAM.account, region: ROTTERDAM.region },
  failures: [],
  counts: COUNTS,
};
const CAMPAIGN = MOVE as unknown as Campaign;
const lists = (...nodes: object[]) => ({
  CampaignList: { campaigns: { __typename: "CampaignPage", nodes } },
  Targets: TARGETS,
});
const row = () => screen.findByRole("listitem", { name: "to-rotterdam" });

test("shows what a campaign does, its progress and failures by reason", async () => {
  const failures = [{ __typename: "RefusalCount", code: "TARGET_LIMIT", count: 3 }];
  show(<CampaignsPage />, new FakeApi(lists({ ...MOVE, failures })));
  const found = within(await row());
  expect(await found.findByText("Move 1,000 devices to Rotterdam")).toBeDefined();
  expect(found.getByText("320 done · 12 in progress · 668 to do")).toBeDefined();
  expect(found.getByText(/^3 devices: /)).toBeDefined();
  expect(found.getByText(/^Expected end:/)).toBeDefined();
});

test("explains what happens without campaigns", async () => {
  show(<CampaignsPage />, new FakeApi(lists()));
  expect(await screen.findByText("No campaigns")).toBeDefined();
});

test.each([
  ["Pause", "running", "pauseCampaign"],
  ["Resume", "stopped", "resumeCampaign"],
  ["Approve", "approval", "approveCampaign"],
  ["Cancel", "paused", "cancelCampaign"],
  ["Undo", "done", "undoCampaign"],
])("%s asks first, for a campaign that is %s", async (action, state, operation) => {
  const name = `${action}Campaign`;
  const api = new FakeApi({
    ...lists({ ...MOVE, state, createdBy: "user:bob", allowedActions: [operation] }),
    [name]: { [operation]: { __typename: "Campaign", name: "to-rotterdam", state: "x" } },
  });
  const { user } = show(<CampaignsPage />, api);
  await row();
  await user.click(screen.getByRole("button", { name: `${action} to-rotterdam` }));
  await user.click(await screen.findByRole("button", { name: `${action} campaign` }));
  await waitFor(() => expect(api.variablesOf(name)).toEqual([{ name: "to-rotterdam" }]));
});

test.each([
  { undoneBy: "x" },
  { undoes: "x" },
  { operation: "REVOKE" },
  { operation: "RETRY" },
  { counts: { ...COUNTS, waiting: 0, done: 0, refused: 332 } },
])("cannot be undone: %o", async (part) => {
  show(
    <CampaignsPage />,
    new FakeApi(lists({ ...MOVE, state: "done", allowedActions: ["undoCampaign"], ...part })),
  );
  const buttons = within(await row()).getAllByRole("button");
  expect(buttons.map((each) => each.textContent)).toEqual(["Results"]);
});

test("is not approved by who has created it", async () => {
  const waits = { ...MOVE, state: "approval", allowedActions: ["approveCampaign", "cancelCampaign"] };
  show(<CampaignsPage />, new FakeApi(lists({ ...waits, createdBy: "user:ada" })));
  const buttons = within(await row()).getAllByRole("button");
  expect(buttons.map((each) => each.textContent)).toEqual(["Results", "Cancel"]);
});

test("links to what it did", async () => {
  show(<CampaignsPage />, new FakeApi(lists(MOVE)));
  const link = within(await row()).getByRole("link", { name: "Its changes: to-rotterdam" });
  expect(link.getAttribute("href")).toBe("/activity?actor=campaign%3Ato-rotterdam");
});

test.each([
  ["TARGET_LIMIT", "A quota of the target account is exhausted"],
  ["NOT_ALLOWED", "Not possible in this state"],
  ["UNKNOWN_DEVICE", "Unknown device"],
  ["INVENTED", "INVENTED"],
])("says what %s means", (code, want) => expect(failureText(code)).toBe(want));

test.each([
  ["2026-11-30T10:02:05.000Z", "in 2 min 5 s"],
  ["2026-11-30T10:00:00.500Z", "any moment"],
  ["2026-11-30T09:00:00.000Z", "any moment"],
])("the end %s is %s", (at, want) => expect(endText(at, new Date("2026-11-30T10:00:00Z"))).toBe(want));

test("shows failed devices apart from those that are done", () => {
  const counts = { ...CAMPAIGN.counts, failed: 20, refused: 30, superseded: 10, pending: 608 };
  expect(partsOf({ ...CAMPAIGN, counts }).map(({ name, share }) => [name, share])).toEqual([
    ["done", 32],
    ["waiting", 1.2],
    ["failed", 5],
    ["left", 1],
  ]);
  expect(partsOf({ ...CAMPAIGN, total: 0, counts: { ...counts, done: 0 } })).toHaveLength(3);
});

test("creates a campaign from a filter after a preview", async () => {
  const preview = {
    __typename: "CampaignPreview",
    total: 820,
    changing: 812,
    unchanged: 0,
    refusals: [{ __typename: "RefusalCount", code: "REVOKED", count: 8 }],
    seconds: 90,
    limitedBy: null,
    needsApproval: true,
    pageInfo: { __typename: "PageInfo", hasNextPage: false },
  };
  const api = new FakeApi({
    ...lists(),
    PreviewCampaign: { previewCampaign: preview },
    CreateCampaign: new Refusal("CAMPAIGN_EXISTS", "got free-all, which exists with another plan"),
  });
  const { user } = show(<CampaignsPage />, api);
  await user.click(await screen.findByRole("button", { name: "Create campaign" }));
  await user.type(await screen.findByLabelText("Name"), "free-all");
  await user.click(screen.getByRole("combobox", { name: "Operation" }));
  await user.click(await screen.findByRole("option", { name: "Release" }));
  expect((screen.getByRole("button", { name: "Preview" }) as HTMLButtonElement).disabled).toBe(true);
  await user.click(screen.getByRole("combobox", { name: "Devices in state" }));
  await user.click(await screen.findByRole("option", { name: "Failed" }));
  await user.click(screen.getByRole("button", { name: "Preview" }));
  expect(
    await screen.findByText("812 devices will be changed · 8 refused · takes at least 1 min 30 s"),
  ).toBeDefined();
  expect(screen.getByText("Another user has to approve it.")).toBeDefined();
  expect(screen.getByText("8 devices: An operator has revoked it")).toBeDefined();
  const arguments_ = { change: { operation: "RELEASE" }, filter: { state: "failed" } };
  expect(api.variablesOf("PreviewCampaign")).toEqual([arguments_]);
  await user.click(screen.getByRole("button", { name: "Create" }));
  expect(await screen.findByText(/exists with another plan/)).toBeDefined();
  const created = { name: "free-all", canary: 0, maxFailureRate: 0.1 };
  expect(api.variablesOf("CreateCampaign")).toEqual([{ ...arguments_, ...created }]);
});

test("saves the results of all pages as CSV", async () => {
  const page = (certid: string, endCursor: string | null) => ({
    campaignResults: {
      __typename: "CampaignResults",
      nodes: [
        {
          __typename: "CampaignResult",
          certid,
          outcome: "done",
          code: null,
          previousTarget: null,
          previousProfile: null,
          device: null,
        },
      ],
      pageInfo: { __typename: "PageInfo", hasNextPage: endCursor !== null, endCursor },
    },
  });
  const api = new FakeApi({
    ...lists(MOVE),
    CampaignResults: ({ after }: Record<string, unknown>) => (after ? page("b", null) : page("a", "5.0")),
  });
  const { user } = show(<CampaignsPage />, api);
  await row();
  await user.click(screen.getByRole("button", { name: "Results of to-rotterdam" }));
  await waitFor(() => expect(saved).toHaveLength(1));
  expect(saved[0]?.name).toBe("campaign-to-rotterdam.csv");
  expect(saved[0]?.text.split("\r\n").map((line) => line.split(",")[0])).toEqual(["certid", "a", "b", ""]);
});

const nameOf = (key: string) => key;

test.each([
  [{ operation: "CLAIM" }, `Claim 1,000 devices for ${ROTTERDAM.account}/${ROTTERDAM.region}`],
  [{ operation: "RETRY", target: null, total: 1 }, "Retry 1 device"],
  [{ target: null, undoes: "x" }, "Move 1,000 devices, which undoes x"],
])("says what it does: %o", (part, text) => {
  expect(whatOf({ ...CAMPAIGN, ...part } as Campaign, nameOf)).toBe(text);
});

test.each([
  [{ state: "approval" }, "Waits for the approval of a user other than ada"],
  [{ state: "stopped", stoppedBecause: "FAILURE_RATE" }, "Stopped: too many devices failed"],
  [{ state: "stopped", stoppedBecause: "NEW" }, "Stopped: NEW"],
  [{ canary: 5, canaryArrived: 2 }, "Canary: 2 of 5 arrived"],
  [{ waitsFor: "the target is paused" }, "the target is paused"],
  [{ state: "done", waitsFor: "x" }, undefined],
])("says what it waits for: %o", (part, text) => {
  expect(waitOf({ ...CAMPAIGN, ...part } as Campaign)).toBe(text);
});

test("counts what has an outcome", () => {
  expect(shareOf(CAMPAIGN)).toBe(32);
  expect(shareOf({ ...CAMPAIGN, total: 0 })).toBe(100);
  expect(progressOf({ ...CAMPAIGN, counts: { ...CAMPAIGN.counts, pending: 0, waiting: 0, done: 0 } })).toBe(
    "No devices",
  );
});

test("a preview without refusals and time is short", () => {
  const preview = { changing: 1, unchanged: 2, refusals: [], seconds: 0 };
  expect(previewOf(preview as unknown as Parameters<typeof previewOf>[0])).toBe(
    "1 device will be changed · 2 already as requested",
  );
});

test("results are safe for spreadsheets", () => {
  const result = {
    certid: "1".repeat(64),
    outcome: "failed",
    code: "=1+1",
    previousTarget: { account: "012345678901", region: "eu-west-1" },
    previousProfile: "default",
    device: { certid: "1", devicename: "a,b", devstate: "failed", targetaccount: "1", targetregion: "x" },
  };
  const [, line] = csvOf([result as unknown as Result]).split("\r\n");
  expect(line).toContain('"a,b"');
  expect(line).toContain("'=1+1");
  expect(line).toContain("012345678901/eu-west-1");
});
