/** What the page does next, event by event. */
import { describe, expect, test } from "vitest";
import { type Flow, type FlowEvent, IDLE, next } from "../../../src/pages/claim/flow";

const CAMERA: Flow = { at: "camera", said: null };
const PHOTO: Flow = { at: "photo" };

function seen(labels: string[], more: Partial<FlowEvent & { is: "seen" }> = {}): FlowEvent {
  return {
    is: "seen",
    sight: { labels, stranger: null },
    way: "camera",
    inSeries: false,
    known: () => false,
    ...more,
  };
}
const STRANGER = { labels: [], stranger: '"https://x.test"' };

describe("one label after the other", () => {
  test("what the camera found is asked about, the one in the middle only", () => {
    expect(next(CAMERA, seen(["a", "b"]))).toEqual({ at: "found", labels: ["a"], way: "camera" });
  });
  test("a photo may hold several", () => {
    expect(next(PHOTO, seen(["a", "b"], { way: "photo" }))).toEqual({
      at: "found",
      labels: ["a", "b"],
      way: "photo",
    });
  });
  test("claimed, it waits for the tap that scans the next one", () => {
    const found = next(CAMERA, seen(["a"]));
    expect(next(found, { is: "claimed", certids: ["a"] })).toEqual({
      at: "idle",
      fault: null,
      said: { is: "claimed", certids: ["a"] },
    });
  });
  test("cancelled, the camera goes on", () => {
    expect(next(next(CAMERA, seen(["a"])), { is: "cancelled" })).toEqual(CAMERA);
    expect(next({ at: "found", labels: ["a"], way: "photo" }, { is: "cancelled" })).toEqual(IDLE);
  });
});

describe("in a series", () => {
  test("the camera stays on while the page claims", () => {
    expect(next(CAMERA, seen(["a"], { inSeries: true }))).toEqual(CAMERA);
    expect(next(CAMERA, { is: "claimed", certids: ["a"] })).toEqual({
      at: "camera",
      said: { is: "claimed", certids: ["a"] },
    });
  });
  test("one that was scanned before is said to be", () => {
    expect(next(CAMERA, seen(["a"], { inSeries: true, known: () => true }))).toEqual({
      at: "camera",
      said: { is: "again", certid: "a" },
    });
  });
});

describe("what is no label", () => {
  test("is said without stopping the camera", () => {
    expect(next(CAMERA, seen([], { sight: STRANGER }))).toEqual({
      at: "camera",
      said: { is: "stranger", text: STRANGER.stranger },
    });
  });
  test("in a photo is said, too", () => {
    expect(next(PHOTO, seen([], { sight: STRANGER, way: "photo" }))).toMatchObject({
      at: "idle",
      said: { is: "stranger" },
    });
  });
  test("beside a label does not matter", () => {
    expect(next(CAMERA, seen(["a"], { sight: { ...STRANGER, labels: ["a"] } })).at).toBe("found");
  });
  test("a photo of nothing says so", () => {
    expect(next(PHOTO, seen([], { way: "photo" }))).toMatchObject({ said: { is: "nothing found" } });
  });
});

test.each<[string, Flow, FlowEvent]>([
  ["a label that comes after the camera was stopped", IDLE, seen(["a"])],
  ["a photo's after somebody began to type", { at: "typing" }, seen(["a"], { way: "photo" })],
  ["a camera's fault after it was stopped", { at: "typing" }, { is: "camera failed", fault: "denied" }],
])("%s changes nothing", (_, flow, event) => expect(next(flow, event)).toBe(flow));

test("a camera that cannot be had leaves the other ways, and says why", () => {
  expect(next(CAMERA, { is: "camera failed", fault: "denied" })).toEqual({
    at: "idle",
    fault: "denied",
    said: null,
  });
});
