/** The lobby's clock is measured from its responses, and a wrong clock of this device is named. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clockText } from "../../src/clock/clock_text";
import { ServerClock, serverClock, timedFetch } from "../../src/clock/server_clock";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

function measured(serverMinusOwnMs: number, tookMs = 100, more: Record<string, string> = {}): ServerClock {
  const clock = new ServerClock();
  const date = new Date(NOW + serverMinusOwnMs).toUTCString();
  clock.observe(new Headers({ date, ...more }), NOW, NOW + tookMs);
  return clock;
}

describe("the skew", () => {
  test.each<[string, number]>([
    ["16 minutes behind", -16 * MINUTE],
    ["an hour ahead", 60 * MINUTE],
  ])("is measured if the lobby is %s", (_, skew) => {
    const clock = measured(skew);
    expect(Math.abs(clock.skewMs - skew)).toBeLessThan(1_000);
    expect(Math.abs(clock.now() - NOW - skew)).toBeLessThan(1_000);
  });

  test.each([-1_900, 0, 1_900])("of %i ms is ignored", (skew) => expect(measured(skew).skewMs).toBe(0));

  test("is not measured from a slow response, a cached one, or one without a date", () => {
    expect(measured(-16 * MINUTE, 20_000).skewMs).toBe(0);
    expect(measured(-16 * MINUTE, 100, { age: "960" }).skewMs).toBe(0);
    const clock = new ServerClock();
    clock.observe(new Headers({ date: "yesterday" }), NOW, NOW);
    expect(clock.skewMs).toBe(0);
  });

  test("stays while measurements agree, and ends when this device's clock is corrected", () => {
    const clock = measured(-16 * MINUTE);
    const listener = vi.fn();
    clock.subscribe(listener);
    clock.observe(new Headers({ date: new Date(NOW - 16 * MINUTE + 900).toUTCString() }), NOW, NOW + 200);
    expect(listener).not.toHaveBeenCalled();
    clock.observe(new Headers({ date: new Date(NOW).toUTCString() }), NOW, NOW + 200);
    expect(clock.skewMs).toBe(0);
    expect(listener).toHaveBeenCalledOnce();
  });
});

test("requests to the lobby measure it", async () => {
  const date = new Date(NOW - 16 * MINUTE).toUTCString();
  vi.stubGlobal("fetch", async () => new Response("{}", { headers: { date } }));
  await timedFetch("/sign-in.json");
  expect(Math.round(serverClock.skewMs / MINUTE)).toBe(-16);
  vi.stubGlobal("fetch", async () => new Response("{}", { headers: { date: new Date(NOW).toUTCString() } }));
  await timedFetch("/sign-in.json");
  expect(serverClock.skewMs).toBe(0);
});

test.each([
  [-16 * MINUTE, "This device's clock is 16 min ahead."],
  [3 * 3_600_000, "This device's clock is 3 h behind."],
])("%i ms: %s", (skew, text) => expect(clockText(skew)).toBe(text));
