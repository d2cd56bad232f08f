/** The claim page's state machine, event by event. */
import { describe, expect, test } from "vitest";
import { type Flow, type FlowEvent, IDLE, next } from "../../../src/pages/claim/flow";

const CAMERA: Flow = { at: "camera", message: null };
const PHOTO: Flow = { at: "photo" };

function scanned(labels: string[], more: Partial<FlowEvent & { is: "scanned" }> = {}): FlowEvent {
  return {
    is: "scanned",
    scan: { labels, otherCode: null },
    method: "camera",
    inSeries: false,
    known: () => false,
    ...more,
  };
}
const STRANGER = { labels: [], otherCode: '"https://x.test"' };

describe("single labels", () => {
  test("asks about the label in the centre of the camera picture", () => {
    expect(next(CAMERA, scanned(["a", "b"]))).toEqual({ at: "found", labels: ["a"], method: "camera" });
  });
  test("accepts several labels in a photo", () => {
    expect(next(PHOTO, scanned(["a", "b"], { method: "photo" }))).toEqual({
      at: "found",
      labels: ["a", "b"],
      method: "photo",
    });
  });
  test("after a claim, waits for the tap that scans the next", () => {
    const found = next(CAMERA, scanned(["a"]));
    expect(next(found, { is: "claimed", certids: ["a"] })).toEqual({
      at: "idle",
      fault: null,
      message: { is: "claimed", certids: ["a"] },
    });
  });
  test("continues with the camera after Cancel", () => {
    expect(next(next(CAMERA, scanned(["a"])), { is: "cancelled" })).toEqual(CAMERA);
    expect(next({ at: "found", labels: ["a"], method: "photo" }, { is: "cancelled" })).toEqual(IDLE);
  });
});

describe("series", () => {
  test("keeps the camera on while the page claims", () => {
    expect(next(CAMERA, scanned(["a"], { inSeries: true }))).toEqual(CAMERA);
    expect(next(CAMERA, { is: "claimed", certids: ["a"] })).toEqual({
      at: "camera",
      message: { is: "claimed", certids: ["a"] },
    });
  });
  test("reports a label that was scanned before", () => {
    expect(next(CAMERA, scanned(["a"], { inSeries: true, known: () => true }))).toEqual({
      at: "camera",
      message: { is: "already claimed", certid: "a" },
    });
  });
});

describe("other codes", () => {
  test("are reported without stopping the camera", () => {
    expect(next(CAMERA, scanned([], { scan: STRANGER }))).toEqual({
      at: "camera",
      message: { is: "otherCode", text: STRANGER.otherCode },
    });
  });
  test("in a photo are reported, too", () => {
    expect(next(PHOTO, scanned([], { scan: STRANGER, method: "photo" }))).toMatchObject({
      at: "idle",
      message: { is: "otherCode" },
    });
  });
  test("next to a label are ignored", () => {
    expect(next(CAMERA, scanned(["a"], { scan: { ...STRANGER, labels: ["a"] } })).at).toBe("found");
  });
  test("are absent in an empty photo, which is reported", () => {
    expect(next(PHOTO, scanned([], { method: "photo" }))).toMatchObject({ message: { is: "no code" } });
  });
});

test.each<[string, Flow, FlowEvent]>([
  ["a label that comes after the camera was stopped", IDLE, scanned(["a"])],
  ["a photo that arrives while typing", { at: "typing" }, scanned(["a"], { method: "photo" })],
  ["a camera's fault after it was stopped", { at: "typing" }, { is: "camera failed", fault: "denied" }],
])("ignores %s", (_, flow, event) => expect(next(flow, event)).toBe(flow));

test("offers the other input methods after a camera failure, with the reason", () => {
  expect(next(CAMERA, { is: "camera failed", fault: "denied" })).toEqual({
    at: "idle",
    fault: "denied",
    message: null,
  });
});
