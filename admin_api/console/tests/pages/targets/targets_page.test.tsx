/** The list of targets: content by role, counts, search, the empty list, and failures. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import TargetsPage from "../../../src/pages/targets/targets_page";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { counts, lists, PORTO, SYDNEY } from "./target_fixtures";

const row = (name: string) => screen.findByRole("listitem", { name });
const buttons = (within_: HTMLElement) =>
  within(within_)
    .queryAllByRole("button")
    .map((button) => button.getAttribute("aria-label"));

test("shows account, Region, profiles and devices by state", async () => {
  const porto = {
    ...PORTO,
    count: 10_469,
    states: [
      { state: "arrived", count: 10_432 },
      { state: "failed", count: 37 },
    ],
  };
  show(
    <TargetsPage />,
    new FakeApi({ ...lists({ ...PORTO, profiles: ["default", "gateway"] }), ...counts(porto) }),
  );
  const found = within(await row("Plant Porto"));
  expect(found.getByText("222222222222/eu-west-1")).toBeDefined();
  expect(found.getByText("gateway")).toBeDefined();
  const link = await found.findByRole("link", { name: "10,469 devices" });
  expect(link.getAttribute("href")).toBe("/devices?target=222222222222%2Feu-west-1");
  expect(found.getByText("10,432 arrived")).toBeDefined();
  expect(found.getByText("37 failed")).toBeDefined();
});

test("reports a target without devices once the counts are loaded", async () => {
  const api = new FakeApi({ ...lists(PORTO), TargetCounts: LOST });
  const { unmount } = show(<TargetsPage />, api);
  expect((await row("Plant Porto")).textContent).not.toContain("No devices yet");
  unmount();
  show(<TargetsPage />, new FakeApi(lists(PORTO)));
  expect(await within(await row("Plant Porto")).findByText("No devices yet")).toBeDefined();
});

test.each<[Role, string[]]>([
  ["viewer", []],
  ["technician", []],
  ["operator", ["Check Plant Porto"]],
  ["admin", ["Check Plant Porto", "More actions for Plant Porto"]],
])("offers a %s: %j", async (role, want) => {
  show(<TargetsPage />, new FakeApi(lists(PORTO)), { role });
  expect(buttons(await row("Plant Porto"))).toEqual(want);
  expect(screen.queryByRole("button", { name: "Add target" }) !== null).toBe(role === "admin");
});

test("does not request setup commands for the list", async () => {
  const api = new FakeApi(lists(PORTO));
  show(<TargetsPage />, api, { role: "admin" });
  await row("Plant Porto");
  expect(api.requests.map(({ name }) => name).sort()).toEqual(["TargetCounts", "TargetList"]);
});

test("has a search box only for long lists", async () => {
  const few = show(<TargetsPage />, new FakeApi(lists(PORTO, SYDNEY)));
  await row("Plant Porto");
  expect(screen.queryByRole("textbox")).toBeNull();
  few.unmount();

  const many = Array.from({ length: 30 }, (_, n) => ({
    ...PORTO,
    account: `${200_000_000_000 + n}`,
    name: `Plant ${n}`,
  }));
  const { user } = show(<TargetsPage />, new FakeApi(lists(...many)));
  await user.click(await screen.findByLabelText("Find a target"));
  await user.paste("plant 2");
  expect(screen.getByText("11 of 30 targets")).toBeDefined();
  await user.paste("9x");
  expect(screen.getByText("No matches")).toBeDefined();
});

test.each<[Role, RegExp]>([
  ["admin", /you get the command that sets up its account/],
  ["operator", /An admin of the lobby can add one/],
  ["viewer", /An admin of the lobby can add one/],
  ["technician", /to a group for each target/],
])("shows a %s what to do without targets", async (role, want) => {
  show(<TargetsPage />, new FakeApi(lists()), { role });
  expect(await screen.findByText(want)).toBeDefined();
  expect(screen.queryByRole("button", { name: "Add target" }) !== null).toBe(role === "admin");
});

test("reports an API error and tries again", async () => {
  const api = new FakeApi({
    ...lists(PORTO),
    TargetList: new Refusal("INTERNAL", "Something went wrong on our side."),
  });
  const { user } = show(<TargetsPage />, api);
  expect((await screen.findByRole("alert")).textContent).toContain("Something went wrong on our side.");
  api.answer("TargetList", { targets: [PORTO] });
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await row("Plant Porto")).toBeDefined();
  expect(screen.queryByRole("alert")).toBeNull();
});
