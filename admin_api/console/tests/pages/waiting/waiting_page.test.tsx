/** The lobby's list: it is live, and holds still under a hand that selects. */
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { LOST, Refusal } from "../../fake_api";
import { line, lines, pageOf } from "../canned";
import { stopClock } from "../clock";
import { box, enter, lobby, names, poll } from "./lobby_scene";

stopClock();

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
