/** The navigation by role, and each role's start page. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { homeOf } from "../../src/pages/navigation";
import { Shell } from "../../src/shell/shell";
import { FakeApi, type Role, show } from "../fake_api";

const ALL = ["Claim", "Waiting", "Devices", "Targets", "Enrolments", "Campaigns", "Overview"];
const TECHNICIAN = ALL.filter((name) => name !== "Enrolments" && name !== "Campaigns");

function navigation(): (string | null)[] {
  const [side] = screen.getAllByRole("navigation", { name: "Main" });
  return within(side as HTMLElement)
    .getAllByRole("link")
    .map((link) => link.textContent);
}

test.each<[Role, string[]]>([
  ["viewer", ["Waiting", "Devices", "Targets", "Overview"]],
  ["technician", TECHNICIAN],
  ["operator", ALL],
  ["admin", ALL],
])("shows a %s the pages that the role can use", (role, want) => {
  show(<Shell>content</Shell>, new FakeApi({}), { role });
  expect(navigation()).toEqual(want);
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
