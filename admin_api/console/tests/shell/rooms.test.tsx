/** Which rooms are in whose menu, and where each role starts. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { startOf } from "../../src/pages/rooms";
import { Shell } from "../../src/shell/shell";
import { FakeApi, type Role, show } from "../fake_api";

const ALL = ["Claim", "Waiting", "Devices", "Targets", "Overview"];

function rooms(): (string | null)[] {
  const [side] = screen.getAllByRole("navigation", { name: "Rooms" });
  return within(side as HTMLElement)
    .getAllByRole("link")
    .map((link) => link.textContent);
}

test.each<[Role, string[]]>([
  ["viewer", ["Waiting", "Devices", "Targets", "Overview"]],
  ["technician", ALL],
  ["operator", ALL],
  ["admin", ALL],
])("a %s has the rooms that there is something to do in", (role, want) => {
  show(<Shell>content</Shell>, new FakeApi({}), { role });
  expect(rooms()).toEqual(want);
});

test("without a network only claiming is left", () => {
  show(<Shell>content</Shell>, new FakeApi({}), { signedIn: false });
  expect(rooms()).toEqual(["Claim"]);
});

test.each([
  ["viewer", "/overview"],
  ["technician", "/claim"],
  ["operator", "/waiting"],
  ["admin", "/waiting"],
  ["", "/claim"],
])("the role %j starts at %s", (role, want) => {
  expect(startOf(role)).toBe(want);
});

test("the room one is in is marked, also on its subpages", () => {
  show(<Shell>content</Shell>, new FakeApi({}), { at: `/devices/${"ab".repeat(32)}` });
  for (const link of screen.getAllByRole("link", { current: "page" }))
    expect(link.textContent).toBe("Devices");
  expect(screen.getAllByRole("link", { current: "page" })).toHaveLength(2);
});
