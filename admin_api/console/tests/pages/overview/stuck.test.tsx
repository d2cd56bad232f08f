/** Stuck devices: threshold, order, and retry. */
import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import OverviewPage from "../../../src/pages/overview/overview_page";
import { earlier, stuckOf, THRESHOLDS } from "../../../src/pages/overview/stuck";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { overview, stuck, stuckDevice } from "./overview_fixtures";

const NOW = "2026-11-22T12:00:30.500Z";
const THREE = stuck(
  [
    stuckDevice(1, "claimed", "2026-11-22T11:52:30.500Z"),
    stuckDevice(2, "claimed", "2026-11-20T08:00:30.000Z"),
  ],
  [stuckDevice(3, "commissioned", "2026-11-22T08:00:00.000Z", { devicename: null, allowedActions: [] })],
);
const COUNTS = overview({ claimed: 2, commissioned: 1, arrived: 10 });

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: new Date(NOW) }));
afterEach(() => void vi.useRealTimers());

describe("the query", () => {
  test("is rounded to minutes, so that it stays the same for a while", () => {
    expect(earlier(new Date(NOW), 5 * 60_000)).toBe("2026-11-22T11:55:00.000Z");
    expect(earlier(new Date("2026-11-22T12:00:59.999Z"), 5 * 60_000)).toBe("2026-11-22T11:55:00.000Z");
  });

  test("starts with five minutes", () => {
    expect(THRESHOLDS[0].ms).toBe(300_000);
  });

  test("merges both states, longest first, and reports states with more", () => {
    const pages = stuck(THREE.claimed.nodes, THREE.commissioned.nodes);
    pages.commissioned.pageInfo.hasNextPage = true;
    const { devices, more } = stuckOf(pages as never);
    expect(devices.map(({ devicename }) => devicename)).toEqual(["sensor-2", null, "sensor-1"]);
    expect(more).toEqual(["commissioned"]);
  });
});

async function look(api: FakeApi, role: Role = "operator") {
  const { user } = show(<OverviewPage />, api, { role });
  const section = within(await screen.findByRole("region", { name: "Stuck" }));
  return { user, section };
}

test("shows what a claimed device waits for", async () => {
  const waitsFor = "899 devices before it at 9 per second";
  const waiting = stuck([stuckDevice(1, "claimed", "2026-11-22T11:52:30.500Z", { waitsFor })], []);
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: waiting }));
  expect(await section.findByText(`Waits for: ${waitsFor}`)).toBeTruthy();
});

test("shows each device with state, target and duration, and links to it", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: THREE });
  const { section } = await look(api);
  const lines = await section.findAllByRole("listitem");
  expect(lines.map((line) => line.textContent)).toEqual([
    "sensor-2Claimedfor 2 d 4 h222222222222/eu-west-1Retry",
    "3333 3333 3333Commissionedfor 4 h 0 min222222222222/eu-west-1",
    "sensor-1Claimedfor 8 min 0 s222222222222/eu-west-1Retry",
  ]);
  expect(section.getByRole("link", { name: "sensor-1" }).getAttribute("href")).toBe(
    `/devices/${"1".repeat(64)}`,
  );
  expect(section.getByText(/Check the device's power and network/)).toBeDefined();
  expect(api.variablesOf("Stuck")).toEqual([{ before: "2026-11-22T11:55:00.000Z" }]);
});

test("has a selectable threshold", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: THREE });
  const { user, section } = await look(api);
  await section.findAllByRole("listitem");
  api.answer("Stuck", stuck([]));
  await user.click(section.getByRole("radio", { name: "> 1 day" }));
  expect(await section.findByText(/^Nothing is stuck: .* for more than 1 day\.$/)).toBeDefined();
  expect(api.variablesOf("Stuck").at(-1)).toEqual({ before: "2026-11-21T12:00:00.000Z" });
});

test("includes devices that wait for a code, and those that cannot show one, without Retry", async () => {
  const unable = stuckDevice(5, "proving", "2026-11-22T12:00:20.000Z", { reason: "CODE_NOT_SHOWN" });
  const overdue = stuckDevice(4, "proving", "2026-11-22T11:00:30.500Z");
  const api = new FakeApi({
    ...overview({ proving: 2, arrived: 3 }),
    Stuck: stuck([], [], false, { proving: [overdue, unable], unshown: [unable] }),
  });
  const { section } = await look(api);
  const lines = await section.findAllByRole("listitem");
  expect(lines.map((line) => line.textContent)).toEqual([
    "sensor-4Needs codefor 1 h 0 min222222222222/eu-west-1",
    "sensor-5Needs codefor 11 s222222222222/eu-west-1 · CODE_NOT_SHOWN",
  ]);
  expect(section.queryByText(/Nothing is stuck/)).toBeNull();
});

test("does not repeat that nothing is stuck when it no longer knows", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: stuck([]) });
  const { user, section } = await look(api);
  await section.findByText(/Nothing is stuck/);
  api.answer("Stuck", LOST);
  await user.click(section.getByRole("radio", { name: "> 1 h" }));
  expect(await section.findByRole("alert")).toBeDefined();
  expect(section.queryByText(/Nothing is stuck/)).toBeNull();
});

test("links to the full list if there are more than twenty", async () => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: stuck(THREE.claimed.nodes, [], true) }));
  const ways = await section.findAllByRole("link", { name: "View all" });
  expect(ways.map((way) => way.getAttribute("href"))).toEqual([
    "/devices?state=claimed",
    "/devices?state=commissioned",
  ]);
});

test("offers a retry if state and role allow it", async () => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE }));
  await section.findAllByRole("listitem");
  expect(section.getAllByRole("button").map((button) => button.getAttribute("aria-label"))).toEqual([
    "Retry sensor-2",
    "Retry sensor-1",
  ]);
});

test.each<Role>(["viewer", "technician"])("offers a %s none", async (role) => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE }), role);
  await section.findAllByRole("listitem");
  expect(section.queryByRole("button")).toBeNull();
});

test("removes a device after a retry", async () => {
  const api = new FakeApi({
    ...COUNTS,
    Stuck: THREE,
    RetryStuck: { retryDevice: { ...stuckDevice(1, "claimed", NOW) } },
  });
  const { user, section } = await look(api);
  await section.findAllByRole("listitem");
  api.answer("Stuck", stuck([THREE.claimed.nodes[1] as never], THREE.commissioned.nodes));
  await user.click(section.getByRole("button", { name: "Retry sensor-1" }));
  expect((await section.findByText("Retrying sensor-1.")).getAttribute("role")).toBe("status");
  expect(await section.findByRole("button", { name: "Retry sensor-2" })).toBeDefined();
  expect(section.queryByRole("link", { name: "sensor-1" })).toBeNull();
  expect(api.variablesOf("RetryStuck")).toEqual([{ certid: "1".repeat(64) }]);
});

test("reports a rejected retry with its reason and device", async () => {
  const refused = new Refusal("NOT_ALLOWED", "got retry for a device that is arrived, want one of: move");
  const { user, section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE, RetryStuck: refused }));
  await user.click(await section.findByRole("button", { name: "Retry sensor-2" }));
  expect((await section.findByRole("alert")).textContent).toContain("want one of: move");
  expect(section.getByText("sensor-2 was not retried:")).toBeDefined();
});

test("keeps the counts if the list cannot be loaded, and tries again", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: LOST });
  const { user, section } = await look(api);
  await section.findByRole("alert");
  expect(screen.getByText("13 devices")).toBeDefined();
  api.answer("Stuck", THREE);
  await user.click(section.getByRole("button", { name: "Try again" }));
  expect(await section.findAllByRole("listitem")).toHaveLength(3);
});
