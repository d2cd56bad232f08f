/** The overview: numbers and bars, links to devices, the empty lobby, and failures. */
import { act, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import OverviewPage from "../../../src/pages/overview/overview_page";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { overview, target } from "./overview_fixtures";

const MANY = { inlobby: 412, arrived: 10_432, failed: 36, refused: 1 };
const REASONS = [
  { state: "failed", reason: "TARGET_ROLE_DENIED", count: 36 },
  { state: "refused", reason: "BRAND_NEW", count: 1 },
];

const table = async (name: string) => within(await screen.findByRole("table", { name }));
const lines = async (name: string) =>
  (await table(name))
    .getAllByRole("row")
    .slice(1)
    .map((row) => ({ text: row.textContent, leads: within(row).getByRole("link").getAttribute("href") }));

test("shows the states in lifecycle order with links to their devices", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY)));
  expect(await screen.findByText("10,881 devices")).toBeDefined();
  const states = await lines("Devices by state");
  expect(states).toHaveLength(10);
  expect(states[6]).toEqual({
    text: "ArrivedConnected to its target10,432",
    leads: "/devices?state=arrived",
  });
  expect(states[0]).toEqual({ text: "ExpectedClaimed, not seen yet0", leads: "/devices?state=expected" });
});

test("describes the bars in text", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY)));
  const all = "All devices: 412 waiting, 10,432 arrived, 36 failed, 1 refused";
  expect(await screen.findByRole("img", { name: all })).toBeDefined();
  expect(
    (await table("Devices by state")).getAllByRole("img").map((bar) => bar.getAttribute("aria-label")),
  ).toEqual(["0 %", "0 %", "4 %", "0 %", "0 %", "0 %", "96 %", "under 1 %", "under 1 %", "0 %"]);
});

test("shows failures by reason with meaning, remedy and link", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY, { reasons: REASONS })));
  const [denied, unknown] = await lines("Failed, refused, quarantined and suspected devices by reason");
  expect(denied?.text).toContain("The role in the target can't be assumed");
  expect(denied?.text).toContain("Run the target's setup command there, then retry.");
  expect(denied?.text).toMatch(/36$/);
  expect(denied?.leads).toBe("/devices?state=failed&reason=TARGET_ROLE_DENIED");
  expect(unknown?.text).toContain("BRAND_NEW");
  expect(unknown?.leads).toBe("/devices?state=refused&reason=BRAND_NEW");
});

test("shows devices by target with names and state counts", async () => {
  const targets = [
    target("222222222222", { arrived: 1_200, failed: 3 }),
    target("999999999999", { claimed: 1 }),
  ];
  show(<OverviewPage />, new FakeApi(overview(MANY, { targets })));
  await screen.findByText("Plant Porto");
  expect(await lines("Devices by target")).toEqual([
    {
      text: "Plant Porto222222222222/eu-west-11,200 arrived3 failed1,203",
      leads: "/devices?target=222222222222%2Feu-west-1",
    },
    { text: "999999999999/eu-west-11 claimed1", leads: "/devices?target=999999999999%2Feu-west-1" },
  ]);
});

test("shows the largest targets first, and all on request", async () => {
  const targets = Array.from({ length: 30 }, (_, nth) =>
    target(`${200_000_000_000 + nth}`, { arrived: 30 - nth }),
  );
  const { user } = show(<OverviewPage />, new FakeApi(overview(MANY, { targets })));
  expect(await lines("Devices by target")).toHaveLength(8);
  await user.click(screen.getByRole("button", { name: "Show all 30" }));
  expect(await lines("Devices by target")).toHaveLength(30);
});

test.each<[Role, string]>([
  ["operator", "By target"],
  ["technician", "Your targets"],
])("shows a %s the targets under %s", async (role, title) => {
  show(<OverviewPage />, new FakeApi(overview(MANY)), { role });
  expect(await screen.findByRole("region", { name: title })).toBeDefined();
});

test("reports a lobby without failures", async () => {
  const api = new FakeApi(overview({ inlobby: 1 }));
  show(<OverviewPage />, api);
  expect(await screen.findByText("No failed, refused or suspected devices.")).toBeDefined();
  expect(screen.getByText(/^Nothing is stuck/)).toBeDefined();
  expect(screen.getByText("No devices are claimed for a target yet.")).toBeDefined();
  expect(api.variablesOf("Stuck")).toEqual([]);
});

test.each<[Role, string[]]>([
  ["admin", ["Add target", "Waiting", "Scan label"]],
  ["operator", ["View targets", "Waiting", "Scan label"]],
  ["viewer", ["View targets", "Waiting"]],
])("shows a %s the first steps without devices, and which are done", async (role, ways) => {
  const api = new FakeApi({ ...overview({}), Targets: { targets: [] } });
  const { unmount } = show(<OverviewPage />, api, { role });
  expect(await screen.findByText("No devices yet")).toBeDefined();
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(ways);
  expect(screen.queryByText(/ added$/)).toBeNull();
  unmount();
  show(<OverviewPage />, new FakeApi(overview({})), { role });
  expect(await screen.findByText("1 target added")).toBeDefined();
});

test("reports a failure and tries again", async () => {
  const api = new FakeApi({ Overview: new Refusal("INTERNAL", "Something went wrong on our side.") });
  const { user } = show(<OverviewPage />, api);
  expect((await screen.findByRole("alert")).textContent).toContain("Something went wrong on our side.");
  for (const [name, answer] of Object.entries(overview(MANY))) api.answer(name, answer);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("10,881 devices")).toBeDefined();
});

test("keeps the data when the network is lost, and shows its age", async () => {
  const api = new FakeApi(overview(MANY));
  show(<OverviewPage />, api);
  await screen.findByText("10,881 devices");
  api.answer("Overview", LOST);
  await act(async () => void window.dispatchEvent(new Event("offline")));
  expect((await screen.findByText(/You're offline/)).textContent).toContain("Last updated at");
  await act(async () => void window.dispatchEvent(new Event("online")));
  expect(await screen.findByText(/Can't reach the lobby/)).toBeDefined();
  expect(screen.getByText("10,881 devices")).toBeDefined();
});

test("shows certificates that are due with links to their devices, and nothing if there are none", async () => {
  const found = { __typename: "RenewalOverview", at: "2026-11-30T00:00:00.000Z" };
  const counts = { due: 12, overdue: 3, unable: 0, expiringCertificates: 1 };
  const { unmount } = show(
    <OverviewPage />,
    new FakeApi(overview(MANY, { renewals: { ...found, ...counts } })),
  );
  expect((await screen.findByRole("link", { name: "Renewal due" })).getAttribute("href")).toBe(
    "/devices?renewal=due",
  );
  expect(screen.getByRole("link", { name: "Renewal overdue" }).closest("tr")?.textContent).toContain("3");
  expect(screen.queryByText("Due, and the client cannot renew")).toBeNull();
  unmount();
  show(<OverviewPage />, new FakeApi(overview(MANY)));
  await screen.findByText("10,881 devices");
  expect(screen.queryByText("Certificates")).toBeNull();
});
