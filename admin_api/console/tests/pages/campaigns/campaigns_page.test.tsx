/** The campaigns page: progress, failures, waits and actions; creating one from a filter; results as CSV. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import CampaignsPage from "../../../src/pages/campaigns/campaigns_page";
import { FakeApi, Refusal, show } from "../../fake_api";
import { savedFiles } from "../../saved_files";
import { TARGETS } from "../fixtures";
import { COUNTS, MOVE } from "./campaign_fixtures";

const saved = savedFiles();

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

test("the dialog that cancels a campaign has one button with this word", async () => {
  const api = new FakeApi(lists({ ...MOVE, allowedActions: ["cancelCampaign"] }));
  const { user } = show(<CampaignsPage />, api);
  await row();
  await user.click(screen.getByRole("button", { name: "Cancel to-rotterdam" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getAllByRole("button", { name: /Cancel/ })).toHaveLength(1);
  expect(dialog.getByRole("button", { name: "Back" })).toBeDefined();
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

test.each([
  ["cancelled", 0, true],
  ["done", 3, true],
  ["done", 0, false],
  ["running", 0, false],
])("is undone again after an undo that is %s with %i refused devices: %s", async (state, refused, again) => {
  const actions = { state: "done", allowedActions: ["undoCampaign"] };
  const original = { ...MOVE, ...actions, undoneBy: "to-rotterdam-undo" };
  const name = "to-rotterdam-undo";
  const undo = { ...MOVE, ...actions, name, state, undoes: "to-rotterdam", counts: { ...COUNTS, refused } };
  show(<CampaignsPage />, new FakeApi(lists(undo, original)));
  const buttons = within(await row()).getAllByRole("button");
  expect(buttons.map((each) => each.textContent)).toEqual(["Results", ...(again ? ["Undo"] : [])]);
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

test("selects devices by the start of the name and by attributes", async () => {
  const api = new FakeApi({ ...lists(), PreviewCampaign: new Refusal("INVALID_NAME_PREFIX", "got x") });
  const { user } = show(<CampaignsPage />, api);
  await user.click(await screen.findByRole("button", { name: "Create campaign" }));
  await user.click(await screen.findByRole("combobox", { name: "Operation" }));
  await user.click(await screen.findByRole("option", { name: "Release" }));
  await user.type(screen.getByLabelText("Name"), "free-some");
  await user.type(screen.getByLabelText("Devices whose name starts with"), " pump- ");
  await user.type(screen.getByLabelText("Devices with reason"), "TARGET_LIMIT");
  await user.type(screen.getByLabelText("Devices of model"), "P2");
  await user.type(screen.getByLabelText("Devices with profile"), "sensor");
  await user.type(screen.getByLabelText("Devices with client version"), "0.2.0");
  await user.click(screen.getByRole("button", { name: "Preview" }));
  const filter = {
    namePrefix: "pump-",
    reason: "TARGET_LIMIT",
    model: "P2",
    profile: "sensor",
    clientVersion: "0.2.0",
  };
  await waitFor(() =>
    expect(api.variablesOf("PreviewCampaign")).toEqual([{ change: { operation: "RELEASE" }, filter }]),
  );
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
