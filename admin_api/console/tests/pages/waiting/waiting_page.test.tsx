/** The lobby's list: it is live, holds still under a hand, and claims whom one has selected. */
import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import WaitingPage from "../../../src/pages/waiting/waiting_page";
import { FakeApi, LOST, Refusal, type Role, show } from "../../fake_api";
import { certid, claimed, counts, line, lines, pageOf, TARGETS } from "../canned";

const POLL_MS = 3_000;

// jsdom takes long to tell roles on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A lobby in which `waiting` stand; who is claimed leaves. */
function lobby(waiting: { certid: string }[], refused: (certid: string) => string | null = () => null) {
  const state = { waiting };
  const api = new FakeApi({ Targets: TARGETS });
  api.answer("Counts", () => counts({ inlobby: state.waiting.length, knocking: 2 }));
  api.answer("Waiting", (variables) => pageOf(state.waiting, variables));
  api.answer("ClaimDevices", (variables) => {
    const answer = claimed(variables, refused);
    const gone = new Set(answer.claimDevices.results.filter((each) => each.ok).map((each) => each.certid));
    state.waiting = state.waiting.filter((each) => !gone.has(each.certid));
    return answer;
  });
  return { api, state };
}

async function enter(api: FakeApi, role: Role = "operator") {
  const scene = show(<WaitingPage />, api, { role, at: "/waiting" });
  const person = scene.person;
  await screen.findByRole("heading", { name: "Waiting" });
  return { ...scene, person };
}

const names = () => screen.queryAllByRole("link", { name: /^sensor-/ }).map((link) => link.textContent);
const box = (name: string) => screen.getByRole("checkbox", { name: `Select ${name}` });
const poll = () => act(() => vi.advanceTimersByTimeAsync(POLL_MS + 100));

async function chooseTarget(name: RegExp) {
  fireEvent.click(await screen.findByRole("combobox", { name: "Target" }));
  fireEvent.click(await screen.findByRole("option", { name }));
}

test("who waits is listed, newest first, with how many knock", async () => {
  const { api } = lobby(lines(1, 4));
  await enter(api);
  await waitFor(() => expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]));
  expect((await screen.findByRole("link", { name: "2 knocking" })).getAttribute("href")).toBe(
    "/devices?state=knocking",
  );
});

test("who comes appears by itself, who leaves goes by itself", async () => {
  const { api, state } = lobby(lines(1, 3));
  await enter(api);
  await screen.findByText("sensor-1");
  state.waiting = [line(0), line(2)];
  await poll();
  expect(names()).toEqual(["sensor-0", "sensor-2"]);
});

test("while something is selected, who comes is held back until asked for, and who leaves is marked", async () => {
  const { api, state } = lobby(lines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-2"));
  state.waiting = [line(0), line(2), line(3)];
  await poll();
  expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]);
  expect(screen.getByText("Waits no more")).toBeTruthy();
  expect((box("sensor-1") as HTMLInputElement).disabled).toBe(true);
  fireEvent.click(screen.getByRole("button", { name: "1 new device: show" }));
  expect(names()).toEqual(["sensor-0", "sensor-2", "sensor-3"]);
  expect((box("sensor-2") as HTMLInputElement).checked).toBe(true);
});

test("a range is selected with the shift key, all of it by keyboard, and none with Escape", async () => {
  const { api } = lobby(lines(1, 6));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-1"));
  fireEvent.click(box("sensor-4"), { shiftKey: true });
  expect(screen.getByRole("button", { name: "Claim 4…" })).toBeTruthy();
  fireEvent.keyDown(box("sensor-4"), { key: "a", ctrlKey: true });
  expect(screen.getByRole("button", { name: "Claim 5…" })).toBeTruthy();
  fireEvent.keyDown(box("sensor-4"), { key: "Escape" });
  expect(screen.queryByRole("region", { name: "Selection" })).toBeNull();
});

test("the arrow keys go from box to box, and select with the shift key", async () => {
  const { api } = lobby(lines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  box("sensor-1").focus();
  fireEvent.keyDown(box("sensor-1"), { key: "ArrowDown" });
  expect(document.activeElement).toBe(box("sensor-2"));
  fireEvent.keyDown(box("sensor-2"), { key: "ArrowDown", shiftKey: true });
  expect((box("sensor-3") as HTMLInputElement).checked).toBe(true);
});

test("all that wait can be selected, beyond the page", async () => {
  const { api } = lobby(lines(1, 61));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(await screen.findByRole("button", { name: "Select all 60 that wait" }));
  await screen.findByRole("button", { name: "Claim 60…" });
  expect(names()).toHaveLength(50);
  fireEvent.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(names()).toHaveLength(60));
});

test("the selected are claimed, leave the list, and can be followed", async () => {
  const { api } = lobby(lines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-1"));
  fireEvent.click(box("sensor-3"));
  fireEvent.click(screen.getByRole("button", { name: "Claim 2…" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 2" }));
  const link = await screen.findByRole("link", { name: "follow them in Devices" });
  expect(link.getAttribute("href")).toBe("/devices?target=200000000002%2Feu-west-1");
  expect(api.variablesOf("ClaimDevices")).toEqual([
    { certids: [certid(1), certid(3)], target: { account: "200000000002", region: "eu-west-1" } },
  ]);
  await waitFor(() => expect(names()).toEqual(["sensor-2"]));
});

test("profile and config go with the claim, and a config that is none is not sent", async () => {
  const { api } = lobby([line(1)]);
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  await chooseTarget(/Rotterdam/);
  fireEvent.click(screen.getByRole("combobox", { name: "Profile" }));
  fireEvent.click(await screen.findByRole("option", { name: "gateway" }));
  fireEvent.click(screen.getByRole("radio", { name: "JSON" }));
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: "{" } });
  const claim = screen.getByRole("button", { name: "Claim" }) as HTMLButtonElement;
  expect(claim.disabled).toBe(true);
  expect(screen.getByText(/got no JSON/)).toBeTruthy();
  fireEvent.change(screen.getByLabelText("Config as JSON"), { target: { value: '{"interval": 60}' } });
  fireEvent.click(claim);
  await screen.findByRole("link", { name: "follow it in Devices" });
  expect(api.variablesOf("ClaimDevices")[0]).toMatchObject({ profile: "gateway", config: { interval: 60 } });
});

test("who was refused is listed with why, can be tried again, and the others are claimed", async () => {
  const taken = new Set([certid(2)]);
  const { api } = lobby(lines(1, 4), (each) => (taken.has(each) ? "ALREADY_CLAIMED" : null));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(screen.getByRole("button", { name: "Claim 3…" }));
  await chooseTarget(/Sydney/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 3" }));
  const alert = within(await screen.findByRole("alert"));
  expect(alert.getByText("1 not claimed")).toBeTruthy();
  expect(alert.getByText("ALREADY_CLAIMED")).toBeTruthy();
  expect(alert.getByRole("link", { name: "sensor-2" })).toBeTruthy();
  taken.clear();
  fireEvent.click(screen.getByRole("button", { name: "Try it again" }));
  await screen.findByText(/3 claimed for Sydney/);
  expect(api.variablesOf("ClaimDevices").at(-1)).toMatchObject({ certids: [certid(2)] });
});

test("what there was no time for is sent again by itself", async () => {
  let tries = 0;
  const { api } = lobby(lines(1, 3), (each) => (each === certid(2) && ++tries === 1 ? "NOT_TRIED" : null));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(screen.getByRole("button", { name: "Claim 2…" }));
  await chooseTarget(/Sydney/);
  fireEvent.click(screen.getByRole("button", { name: "Claim 2" }));
  await screen.findByText(/2 claimed for Sydney/);
  expect(api.variablesOf("ClaimDevices").map(({ certids }) => certids)).toEqual([
    [certid(1), certid(2)],
    [certid(2)],
  ]);
});

test("a viewer sees who waits, and nothing to claim them with", async () => {
  const { api } = lobby(lines(1, 3));
  await enter(api, "viewer");
  await screen.findByText("sensor-1");
  expect(screen.queryByRole("checkbox")).toBeNull();
  expect(screen.queryByRole("button", { name: /Claim/ })).toBeNull();
});

test("an empty lobby says how devices get there, and who knocks", async () => {
  const { api } = lobby([]);
  await enter(api);
  expect(await screen.findByText("Nobody waits")).toBeTruthy();
  expect(await screen.findByRole("link", { name: "2 devices are knocking" })).toBeTruthy();
});

test("a failure is told with a way on; a later one leaves what was seen", async () => {
  const { api, state } = lobby(lines(1, 3));
  api.answer("Waiting", new Refusal("INTERNAL", "Something went wrong on our side."));
  await enter(api);
  await screen.findByRole("alert");
  api.answer("Waiting", (variables) => pageOf(state.waiting, variables));
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("sensor-1");
  api.answer("Waiting", LOST);
  await poll();
  expect(await screen.findByText(/This is as it was at/)).toBeTruthy();
  expect(names()).toEqual(["sensor-1", "sensor-2"]);
});

test("without a target there is nothing to choose, and it is said who can mend that", async () => {
  const { api } = lobby([line(1)]);
  api.answer("Targets", { targets: [] });
  await enter(api);
  fireEvent.click(await screen.findByRole("button", { name: "Claim sensor-1" }));
  expect(await screen.findByText(/no target that you may claim for/)).toBeTruthy();
});
