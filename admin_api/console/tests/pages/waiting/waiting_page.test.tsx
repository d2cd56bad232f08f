/** The waiting list updates while it is idle and holds still during a selection. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { LOST, Refusal } from "../../fake_api";
import { stopClock } from "../clock";
import { deviceLine, deviceLines, pageOf } from "../fixtures";
import { box, enter, lobby, names, poll } from "./waiting_fixtures";

stopClock();

test("lists waiting devices, newest first, with the number of connecting devices", async () => {
  const { api } = lobby(deviceLines(1, 4));
  await enter(api);
  await waitFor(() => expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]));
  expect((await screen.findByRole("link", { name: "2 connecting" })).getAttribute("href")).toBe(
    "/devices?state=knocking",
  );
});

test("marks devices that are known to be offline, and no others", async () => {
  const { api } = lobby([
    deviceLine(1, { online: false, onlineSince: "2026-11-22T11:30:00.000Z" }),
    deviceLine(2, { online: true, onlineSince: "2026-11-22T11:30:00.000Z" }),
    deviceLine(3),
  ]);
  await enter(api);
  const row = (name: string) => within(screen.getByRole("link", { name }).closest("tr") as HTMLElement);
  await screen.findByText("sensor-3");
  expect(row("sensor-1").getByText("Offline")).toBeTruthy();
  expect(screen.getAllByText("Offline")).toHaveLength(1);
});

test("shows new devices and removes those that left", async () => {
  const { api, state } = lobby(deviceLines(1, 3));
  await enter(api);
  await screen.findByText("sensor-1");
  state.waiting = [deviceLine(0), deviceLine(2)];
  await poll();
  expect(names()).toEqual(["sensor-0", "sensor-2"]);
});

test("holds back new devices and marks removed ones during a selection", async () => {
  const { api, state } = lobby(deviceLines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(box("sensor-2"));
  state.waiting = [deviceLine(0), deviceLine(2), deviceLine(3)];
  await poll();
  expect(names()).toEqual(["sensor-1", "sensor-2", "sensor-3"]);
  expect(screen.getByText("No longer waiting")).toBeTruthy();
  expect((box("sensor-1") as HTMLInputElement).disabled).toBe(true);
  fireEvent.click(screen.getByRole("button", { name: "1 new device · Show" }));
  expect(names()).toEqual(["sensor-0", "sensor-2", "sensor-3"]);
  expect((box("sensor-2") as HTMLInputElement).checked).toBe(true);
});

test("selects a range with shift, all with Ctrl+A, and none with Escape", async () => {
  const { api } = lobby(deviceLines(1, 6));
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

test("moves with the arrow keys, and selects with shift", async () => {
  const { api } = lobby(deviceLines(1, 4));
  await enter(api);
  await screen.findByText("sensor-1");
  box("sensor-1").focus();
  fireEvent.keyDown(box("sensor-1"), { key: "ArrowDown" });
  expect(document.activeElement).toBe(box("sensor-2"));
  fireEvent.keyDown(box("sensor-2"), { key: "ArrowDown", shiftKey: true });
  expect((box("sensor-3") as HTMLInputElement).checked).toBe(true);
});

test("selects all waiting devices beyond the page", { tags: "full" }, async () => {
  const { api } = lobby(deviceLines(1, 61));
  await enter(api);
  await screen.findByText("sensor-1");
  fireEvent.click(screen.getByRole("checkbox", { name: "Select all shown" }));
  fireEvent.click(await screen.findByRole("button", { name: "Select all 60 waiting" }));
  await screen.findByRole("button", { name: "Claim 60…" });
  expect(names()).toHaveLength(50);
  fireEvent.click(screen.getByRole("button", { name: "Show more" }));
  await waitFor(() => expect(names()).toHaveLength(60));
});

test("explains an empty lobby, with the number of connecting devices", async () => {
  const { api } = lobby([]);
  await enter(api);
  expect(await screen.findByText("No devices waiting")).toBeTruthy();
  expect(await screen.findByRole("link", { name: "2 devices connecting" })).toBeTruthy();
});

test("reports a first failure, and keeps the data after a later one", async () => {
  const { api, state } = lobby(deviceLines(1, 3));
  api.answer("Waiting", new Refusal("INTERNAL", "Something went wrong on our side."));
  await enter(api);
  await screen.findByRole("alert");
  api.answer("Waiting", (variables) => pageOf(state.waiting, variables));
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("sensor-1");
  api.answer("Waiting", LOST);
  await poll();
  expect(await screen.findByText(/Last updated at/)).toBeTruthy();
  expect(names()).toEqual(["sensor-1", "sensor-2"]);
});
