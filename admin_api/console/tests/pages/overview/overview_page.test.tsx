/** The overview: every number beside its bar, each line leading to its devices; nothing there yet; failures. */
import { act, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import OverviewPage from "../../../src/pages/overview/overview_page";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { overview, target } from "./answers";

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

test("devices by state: all nine in the order of life, each leading to its devices", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY)));
  expect(await screen.findByText("10,881 devices")).toBeDefined();
  const states = await lines("Devices by state");
  expect(states).toHaveLength(9);
  expect(states[5]).toEqual({
    text: "ArrivedConnected where it belongs10,432",
    leads: "/devices?state=arrived",
  });
  expect(states[0]).toEqual({ text: "ExpectedClaimed, never seen0", leads: "/devices?state=expected" });
});

test("what is drawn is said, too", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY)));
  const all = "All devices: 412 in the lobby, 10,432 arrived, 36 failed, 1 refused";
  expect(await screen.findByRole("img", { name: all })).toBeDefined();
  expect(
    (await table("Devices by state")).getAllByRole("img").map((bar) => bar.getAttribute("aria-label")),
  ).toEqual(["0 %", "0 %", "4 %", "0 %", "0 %", "96 %", "under 1 %", "under 1 %", "0 %"]);
});

test("failures by reason: what it means, what to do, and the way to those devices", async () => {
  show(<OverviewPage />, new FakeApi(overview(MANY, { reasons: REASONS })));
  const [denied, unknown] = await lines("Failed and refused devices by reason");
  expect(denied?.text).toContain("The role in the target cannot be assumed");
  expect(denied?.text).toContain("Run the target's set-up command there, then retry.");
  expect(denied?.text).toMatch(/36$/);
  expect(denied?.leads).toBe("/devices?state=failed&reason=TARGET_ROLE_DENIED");
  expect(unknown?.text).toContain("BRAND_NEW");
  expect(unknown?.leads).toBe("/devices?state=refused&reason=BRAND_NEW");
});

test("devices by target, by name where it is known, with each state's number", async () => {
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

test("of many targets the fullest are shown, and all if somebody wants", async () => {
  const targets = Array.from({ length: 30 }, (_, nth) =>
    target(`${200_000_000_000 + nth}`, { arrived: 30 - nth }),
  );
  const { person } = show(<OverviewPage />, new FakeApi(overview(MANY, { targets })));
  expect(await lines("Devices by target")).toHaveLength(8);
  await person.click(screen.getByRole("button", { name: "Show all 30" }));
  expect(await lines("Devices by target")).toHaveLength(30);
});

test.each<[Role, string]>([
  ["operator", "By target"],
  ["technician", "Your targets"],
])("a %s sees targets under %s", async (role, title) => {
  show(<OverviewPage />, new FakeApi(overview(MANY)), { role });
  expect(await screen.findByRole("region", { name: title })).toBeDefined();
});

test("a lobby where all is well says so", async () => {
  const api = new FakeApi(overview({ inlobby: 1 }));
  show(<OverviewPage />, api);
  expect(await screen.findByText("No device has failed or was refused.")).toBeDefined();
  expect(screen.getByText("Every claimed device is getting on.")).toBeDefined();
  expect(screen.getByText("No device is claimed for a target yet.")).toBeDefined();
  expect(api.variablesOf("Stuck")).toEqual([]);
});

test.each<[Role, string[]]>([
  ["admin", ["Add one", "Waiting", "Scan a label"]],
  ["operator", ["See the targets", "Waiting", "Scan a label"]],
  ["viewer", ["See the targets", "Waiting"]],
])("without devices a %s reads the first steps, and what of them is done", async (role, ways) => {
  const api = new FakeApi({ ...overview({}), Targets: { targets: [] } });
  const { unmount } = show(<OverviewPage />, api, { role });
  expect(await screen.findByText("No device has come yet")).toBeDefined();
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(ways);
  expect(screen.queryByText(/ added$/)).toBeNull();
  unmount();
  show(<OverviewPage />, new FakeApi(overview({})), { role });
  expect(await screen.findByText("1 target added")).toBeDefined();
});

test("a failure is told as it is, and tried again", async () => {
  const api = new FakeApi({ Overview: new Refusal("INTERNAL", "Something went wrong on our side.") });
  const { person } = show(<OverviewPage />, api);
  expect((await screen.findByRole("alert")).textContent).toContain("Something went wrong on our side.");
  for (const [name, answer] of Object.entries(overview(MANY))) api.answer(name, answer);
  await person.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("10,881 devices")).toBeDefined();
});

test("what was seen stays when the network is lost, and says of when it is", async () => {
  const api = new FakeApi(overview(MANY));
  show(<OverviewPage />, api);
  await screen.findByText("10,881 devices");
  api.answer("Overview", LOST);
  await act(async () => void window.dispatchEvent(new Event("offline")));
  expect((await screen.findByText(/There is no network/)).textContent).toContain("This is as it was at");
  await act(async () => void window.dispatchEvent(new Event("online")));
  expect(await screen.findByText(/The lobby does not answer/)).toBeDefined();
  expect(screen.getByText("10,881 devices")).toBeDefined();
});
