/** The activity page: entries with links to devices, conditions, further pages, and failures. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import ActivityPage from "../../../src/pages/activity/activity_page";
import {
  ANY,
  activityAddress,
  type Conditions,
  conditionsOf,
  filterOf,
} from "../../../src/pages/activity/conditions";
import { type Answer, FakeApi, Refusal, show } from "../../fake_api";
import { certid, ROTTERDAM, TARGETS } from "../fixtures";

const TARGET = `${ROTTERDAM.account}/${ROTTERDAM.region}`;
const MOVE = {
  __typename: "Activity",
  at: "2026-11-30T10:00:00.000Z",
  actor: "user:ada",
  event: "move",
  certid: certid(1),
  user: null,
  seq: 7,
  devicename: "sensor-1",
  before: "arrived",
  after: "claimed",
  target: TARGET,
  left: "222222222222/eu-west-1",
  enrolment: "pumps",
  reason: null,
};
const page = (next: string | null, ...nodes: object[]) => ({
  activity: { __typename: "ActivityPage", nodes, next },
});
const apiWith = (log: Answer) =>
  new FakeApi({
    ActivityLog: log,
    Targets: TARGETS,
    EnrolmentNames: { enrolments: [{ __typename: "Enrolment", name: "pumps" }] },
  });
const names = () => screen.getAllByRole("listitem").map((each) => each.getAttribute("aria-label"));

test("shows what was done, by whom, for which target, with a link to the device", async () => {
  show(<ActivityPage />, apiWith(page(null, MOVE)));
  const entry = within(await screen.findByRole("listitem", { name: "Moved: sensor-1" }));
  expect(await entry.findByText("Target: Rotterdam")).toBeDefined();
  expect(entry.getByText("Left: 222222222222/eu-west-1")).toBeDefined();
  expect(entry.getByText("Enrolment: pumps")).toBeDefined();
  expect(entry.getByText("Arrived → Claimed")).toBeDefined();
  expect(entry.getByText("ada")).toBeDefined();
  expect(entry.getByRole("link", { name: "sensor-1" }).getAttribute("href")).toBe(`/devices/${certid(1)}`);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

test("shows which user was blocked, without a device", async () => {
  const part = { event: "block", certid: null, user: "mallory", seq: 0, devicename: null };
  const empty = { before: null, after: null, target: null, left: null, enrolment: null };
  show(<ActivityPage />, apiWith(page(null, { ...MOVE, ...part, ...empty })));
  const entry = within(await screen.findByRole("listitem", { name: "Blocked: User mallory" }));
  expect(entry.getByText("ada")).toBeDefined();
  expect(entry.queryByRole("link")).toBeNull();
  expect(entry.queryByText(/^Left/)).toBeNull();
});

test.each([
  [{ event: "configure" }, "Configuration changed: sensor-1"],
  [{ event: "claim", actor: "rule:pumps" }, "Claimed: sensor-1"],
  [{ event: "revoke", reason: "stolen", after: "revoked" }, "Revoked: sensor-1"],
  [{ event: "claim", devicename: null, before: null, after: "expected" }, "Claimed: 0001 0000 0000"],
  [{ event: "release", after: null, target: null, enrolment: null }, "Released: sensor-1"],
  [{ event: "invented" }, "invented: sensor-1"],
])("describes %o", async (part, want) => {
  show(<ActivityPage />, apiWith(page(null, { ...MOVE, ...part })));
  expect(await screen.findByRole("listitem", { name: want })).toBeDefined();
});

test("loads further pages below, and keeps the list when a page fails", async () => {
  const older = { ...MOVE, seq: 6, event: "claim" };
  const api = apiWith(({ after }: Record<string, unknown>, nth: number) => {
    if (nth === 2) return new Refusal("INTERNAL", "got an error");
    return after === "c1" ? page(null, older) : page("c1", MOVE);
  });
  const { user } = show(<ActivityPage />, api);
  await user.click(await screen.findByRole("button", { name: "Load more" }));
  expect((await screen.findByRole("alert")).textContent).toContain("got an error");
  expect(names()).toEqual(["Moved: sensor-1"]);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(names()).toEqual(["Moved: sensor-1", "Claimed: sensor-1"]));
  expect(api.variablesOf("ActivityLog").map(({ after }) => after ?? null)).toEqual([null, "c1", "c1"]);
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Refresh" }));
  await waitFor(() => expect(names()).toEqual(["Moved: sensor-1"]));
});

test("says that an empty page is not the end of the log", async () => {
  const api = apiWith(({ after }: Record<string, unknown>) => (after ? page(null, MOVE) : page("c1")));
  const { user } = show(<ActivityPage />, api, { at: "/activity?user=ada&enrolment=pumps" });
  expect(await screen.findByText("No matching entries in this part of the log.")).toBeDefined();
  await user.click(screen.getByRole("button", { name: "Load more" }));
  expect(await screen.findByRole("listitem", { name: "Moved: sensor-1" })).toBeDefined();
});

test.each([
  ["/activity", "No activity"],
  ["/activity?user=bob", "No matching entries"],
])("explains an empty log at %s", async (at, want) => {
  show(<ActivityPage />, apiWith(page(null)), { at });
  expect(await screen.findByText(want)).toBeDefined();
});

test("shows a refusal of the API, and tries again", async () => {
  const api = apiWith(new Refusal("INVALID_USER", "got '', want the name of a user"));
  const { user } = show(<ActivityPage />, api);
  expect((await screen.findByRole("alert")).textContent).toContain("want the name of a user");
  api.answer("ActivityLog", page(null, MOVE));
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("listitem", { name: "Moved: sensor-1" })).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("applies the conditions of the form, keeps them in the address, and clears them", async () => {
  const api = apiWith(page(null, MOVE));
  const { user, visited } = show(<ActivityPage />, api, { at: "/activity" });
  await user.type(await screen.findByLabelText("User"), "ada");
  await user.click(screen.getByRole("combobox", { name: "Enrolment" }));
  await user.click(await screen.findByRole("option", { name: "pumps" }));
  await user.click(screen.getByRole("button", { name: "Apply" }));
  await waitFor(() =>
    expect(api.variablesOf("ActivityLog").at(-1)?.filter).toEqual({ user: "ada", enrolment: "pumps" }),
  );
  expect(visited.at(-1)).toBe("/activity?user=ada&enrolment=pumps");
  await user.click(screen.getByRole("button", { name: "Clear" }));
  await waitFor(() => expect(api.variablesOf("ActivityLog").at(-1)?.filter ?? null).toBeNull());
  expect(visited.at(-1)).toBe("/activity");
});

test("takes a name without a kind as a user's", () => {
  expect(filterOf({ ...ANY, name: "ada" })).toEqual({ user: "ada" });
  expect(activityAddress({ ...ANY, name: " ada " })).toBe("/activity?user=ada");
});

test.each([
  ["user:ada", "ada"],
  ["campaign:to-porto", "campaign to-porto"],
  ["rule:pumps", "enrolment pumps"],
  ["service:sweeper", "sweeper"],
])("says who %s is", async (actor, want) => {
  show(<ActivityPage />, apiWith(page(null, { ...MOVE, actor })));
  const entry = within(await screen.findByRole("listitem", { name: "Moved: sensor-1" }));
  expect(entry.getByText(want)).toBeDefined();
});

test("finds what a campaign did", { tags: "full" }, async () => {
  const api = apiWith(page(null, MOVE));
  const { user, visited } = show(<ActivityPage />, api, { at: "/activity" });
  await user.click(await screen.findByRole("combobox", { name: "By" }));
  await user.click(await screen.findByRole("option", { name: "Campaigns" }));
  await user.type(screen.getByLabelText("Campaign"), "to-porto");
  await user.click(screen.getByRole("button", { name: "Apply" }));
  await waitFor(() =>
    expect(api.variablesOf("ActivityLog").at(-1)?.filter).toEqual({ actor: "campaign:to-porto" }),
  );
  expect(visited.at(-1)).toBe("/activity?actor=campaign%3Ato-porto");
});

test("opens the conditions on request on a phone, and shows how many there are", async () => {
  const media = { matches: true, addEventListener: vi.fn(), removeEventListener: vi.fn() };
  vi.spyOn(window, "matchMedia").mockReturnValue(media as unknown as MediaQueryList);
  const { user } = show(<ActivityPage />, apiWith(page(null, MOVE)), {
    at: "/activity?user=ada&enrolment=pumps",
  });
  const opener = await screen.findByRole("button", { name: "Filter (2)" });
  expect(screen.queryByLabelText("User")).toBeNull();
  await user.click(opener);
  expect((screen.getByLabelText("User") as HTMLInputElement).value).toBe("ada");
  vi.restoreAllMocks();
});

const NOON = new Date("2026-11-30T12:00").toISOString();

test.each<[Partial<Conditions>, object | null]>([
  [{}, null],
  [{ kind: "user", name: "ada" }, { user: "ada" }],
  [{ kind: "user" }, { kind: "USER" }],
  [{ kind: "campaign" }, { kind: "CAMPAIGN" }],
  [{ kind: "campaign", name: "to-porto" }, { actor: "campaign:to-porto" }],
  [{ kind: "rule", name: "pumps" }, { actor: "rule:pumps" }],
  [{ kind: "robot" }, { actor: "robot:" }],
  [{ target: TARGET }, { target: { account: ROTTERDAM.account, region: ROTTERDAM.region } }],
  [{ target: "Rotterdam" }, null],
  [{ since: "2026-11-30T12:00" }, { since: NOON }],
  [
    { until: "2026-11-30T12:00", enrolment: "pumps" },
    { until: NOON, enrolment: "pumps" },
  ],
  [{ since: "yesterday" }, { since: "yesterday" }],
])("the conditions %o are the filter %o, and survive the address", (part, want) => {
  const conditions = { ...ANY, ...part };
  expect(filterOf(conditions)).toEqual(want);
  const address = activityAddress(conditions);
  expect(conditionsOf(address.slice("/activity".length))).toEqual(conditions);
});
