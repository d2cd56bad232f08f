/** The navigation by role, and each role's start page. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { homeOf } from "../../src/pages/navigation";
import { Shell } from "../../src/shell/shell";
import { FakeApi, type Role, show } from "../fake_api";

const TABS = ["Claim", "Waiting", "Devices", "Targets"];
const OPERATOR = [...TABS, "Enrolments", "Campaigns", "Overview", "Activity"];
const ADMIN = [...OPERATOR, "Webhooks", "Blocked users"];
const TECHNICIAN = [...TABS, "Overview"];

function navigation(): (string | null)[] {
  const [side] = screen.getAllByRole("navigation", { name: "Main" });
  return within(side as HTMLElement)
    .getAllByRole("link")
    .map((link) => link.textContent);
}

test.each<[Role, string[]]>([
  ["viewer", ["Waiting", "Devices", "Targets", "Overview"]],
  ["technician", TECHNICIAN],
  ["operator", OPERATOR],
  ["admin", ADMIN],
])("shows a %s the pages that the role can use", (role, want) => {
  show(<Shell>content</Shell>, new FakeApi({}), { role });
  expect(navigation()).toEqual(want);
});

const bar = () => {
  const [, phone] = screen.getAllByRole("navigation", { name: "Main" });
  return within(phone as HTMLElement);
};
const tabs = () =>
  bar()
    .getAllByRole("link")
    .map((link) => link.textContent);

test.each<[Role, string[]]>([
  ["viewer", ["Waiting", "Devices", "Targets", "Overview"]],
  ["technician", TECHNICIAN],
])("has a tab for each page of a %s on a phone", (role, want) => {
  show(<Shell>content</Shell>, new FakeApi({}), { role });
  expect(tabs()).toEqual(want);
  expect(bar().queryByRole("button", { name: "More" })).toBeNull();
});

test("has the pages of an admin that have no tab under More on a phone", async () => {
  const { user, visited } = show(<Shell>content</Shell>, new FakeApi({}), { role: "admin" });
  const more = bar().getByRole("button", { name: "More", expanded: false });
  expect(tabs()).toEqual(TABS);
  await user.click(more);
  expect(tabs()).toEqual(ADMIN);
  await user.keyboard("{Escape}");
  expect(tabs()).toEqual(TABS);
  await user.click(more);
  await user.click(bar().getByRole("link", { name: "Webhooks" }));
  expect(visited).toEqual(["/", "/webhooks"]);
  expect(tabs()).toEqual(TABS);
  expect(more.dataset.current).toBe("true");
});

test("shows only the claim page offline", () => {
  show(<Shell>content</Shell>, new FakeApi({}), { signedIn: false });
  expect(navigation()).toEqual(["Claim"]);
});

test.each([
  ["viewer", "/overview"],
  ["technician", "/claim"],
  ["operator", "/waiting"],
  ["admin", "/waiting"],
  ["", "/claim"],
])("starts the role %j at %s", (role, want) => {
  expect(homeOf(role)).toBe(want);
});

test("marks the current page, also on its subpages", () => {
  show(<Shell>content</Shell>, new FakeApi({}), { at: `/devices/${"ab".repeat(32)}` });
  for (const link of screen.getAllByRole("link", { current: "page" }))
    expect(link.textContent).toBe("Devices");
  expect(screen.getAllByRole("link", { current: "page" })).toHaveLength(2);
});
