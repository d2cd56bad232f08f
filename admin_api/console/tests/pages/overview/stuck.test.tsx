/** Who is stuck: asked for by how long, whoever waits longest first, tried again where that is allowed. */
import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import OverviewPage from "../../../src/pages/overview/overview_page";
import { earlier, stuckOf, THRESHOLDS } from "../../../src/pages/overview/stuck";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { overview, stuck, stuckDevice } from "./answers";

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

describe("the question", () => {
  test("is of whole minutes, so that it stays the same for a while", () => {
    expect(earlier(new Date(NOW), 5 * 60_000)).toBe("2026-11-22T11:55:00.000Z");
    expect(earlier(new Date("2026-11-22T12:00:59.999Z"), 5 * 60_000)).toBe("2026-11-22T11:55:00.000Z");
  });

  test("begins with five minutes", () => {
    expect(THRESHOLDS[0].ms).toBe(300_000);
  });

  test("has answers of both states, the longest first, and says of which there are more", () => {
    const pages = stuck(THREE.claimed.nodes, THREE.commissioned.nodes);
    pages.commissioned.pageInfo.hasNextPage = true;
    const { devices, more } = stuckOf(pages as never);
    expect(devices.map(({ devicename }) => devicename)).toEqual(["sensor-2", null, "sensor-1"]);
    expect(more).toEqual(["commissioned"]);
  });
});

async function look(api: FakeApi, role: Role = "operator") {
  const { person } = show(<OverviewPage />, api, { role });
  const section = within(await screen.findByRole("region", { name: "Stuck" }));
  return { person, section };
}

test("each with its state, target and how long, leading to its page", async () => {
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
  expect(section.getByText(/has it power and a network/)).toBeDefined();
  expect(api.variablesOf("Stuck")).toEqual([{ before: "2026-11-22T11:55:00.000Z" }]);
});

test("how long is too long can be chosen", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: THREE });
  const { person, section } = await look(api);
  await section.findAllByRole("listitem");
  api.answer("Stuck", stuck([]));
  await person.click(section.getByRole("radio", { name: "> 1 day" }));
  expect(await section.findByText("Every claimed device is getting on.")).toBeDefined();
  expect(api.variablesOf("Stuck").at(-1)).toEqual({ before: "2026-11-21T12:00:00.000Z" });
});

test("of more than twenty the rest is a list away", async () => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: stuck(THREE.claimed.nodes, [], true) }));
  const ways = await section.findAllByRole("link", { name: "See all that are" });
  expect(ways.map((way) => way.getAttribute("href"))).toEqual([
    "/devices?state=claimed",
    "/devices?state=commissioned",
  ]);
});

test("another try is offered where the state and the role allow it", async () => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE }));
  await section.findAllByRole("listitem");
  expect(section.getAllByRole("button").map((button) => button.getAttribute("aria-label"))).toEqual([
    "Retry sensor-2",
    "Retry sensor-1",
  ]);
});

test.each<Role>(["viewer", "technician"])("a %s is offered none", async (role) => {
  const { section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE }), role);
  await section.findAllByRole("listitem");
  expect(section.queryByRole("button")).toBeNull();
});

test("a device that is tried again leaves the list", async () => {
  const api = new FakeApi({
    ...COUNTS,
    Stuck: THREE,
    RetryStuck: { retryDevice: { ...stuckDevice(1, "claimed", NOW) } },
  });
  const { person, section } = await look(api);
  await section.findAllByRole("listitem");
  api.answer("Stuck", stuck([THREE.claimed.nodes[1] as never], THREE.commissioned.nodes));
  await person.click(section.getByRole("button", { name: "Retry sensor-1" }));
  expect((await section.findByText("sensor-1 is tried again.")).getAttribute("role")).toBe("status");
  expect(await section.findByRole("button", { name: "Retry sensor-2" })).toBeDefined();
  expect(section.queryByRole("link", { name: "sensor-1" })).toBeNull();
  expect(api.variablesOf("RetryStuck")).toEqual([{ certid: "1".repeat(64) }]);
});

test("a try that is refused says why, and of which device", async () => {
  const refused = new Refusal("NOT_ALLOWED", "got retry for a device that is arrived, want one of: move");
  const { person, section } = await look(new FakeApi({ ...COUNTS, Stuck: THREE, RetryStuck: refused }));
  await person.click(await section.findByRole("button", { name: "Retry sensor-2" }));
  expect((await section.findByRole("alert")).textContent).toContain("want one of: move");
  expect(section.getByText("sensor-2 is not tried again:")).toBeDefined();
});

test("a list that cannot be had leaves the counts as they are, and is tried again", async () => {
  const api = new FakeApi({ ...COUNTS, Stuck: LOST });
  const { person, section } = await look(api);
  await section.findByRole("alert");
  expect(screen.getByText("13 devices")).toBeDefined();
  api.answer("Stuck", THREE);
  await person.click(section.getByRole("button", { name: "Try again" }));
  expect(await section.findAllByRole("listitem")).toHaveLength(3);
});
