/** The texts of webhooks cover the events and results that the API has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Delivery, Webhook } from "../../../src/pages/webhooks/operations";
import {
  deliveryText,
  EVENT_NAMES,
  eventsOf,
  nameOf,
  RESULTS,
  stateOf,
} from "../../../src/pages/webhooks/texts";

const project = (path: string) => readFileSync(join(import.meta.dirname, "../../../../..", path), "utf8");

test("offers every type of event, and no others", () => {
  const schema = JSON.parse(project("docs/device-event.schema.json"));
  const types: string[] = schema.properties.type.enum;
  expect(types.length).toBeGreaterThan(15);
  expect([...EVENT_NAMES].sort()).toEqual(types.map(nameOf).sort());
});

test("has a text for every result, and no others", () => {
  const [, list = ""] = project("admin_api/schema.graphql").split("How it ended. One of: ");
  const results = (list.split(".")[0] ?? "").split(", ");
  expect(results.length).toBeGreaterThan(10);
  expect(Object.keys(RESULTS).sort()).toEqual(results.sort());
});

test.each<[Partial<Delivery>, string]>([
  [{ result: "TIMEOUT", status: null }, "No answer within 15 seconds · attempt 1 · 130 ms"],
  [{ result: "REJECTED", status: 500, attempt: 2 }, "Rejected · HTTP 500 · attempt 2 · 130 ms"],
  [{ result: "INVENTED" }, "INVENTED · HTTP 204 · attempt 1 · 130 ms"],
])("describes the delivery %o", (part, want) => {
  const delivered = { result: "DELIVERED", status: 204, attempt: 1, milliseconds: 130 };
  expect(deliveryText({ ...delivered, ...part } as Delivery)).toBe(want);
});

test.each([
  ["active", null, "active"],
  ["active", "2026-11-30T09:00:00.000Z", "active, failing"],
  ["disabled", "2026-11-30T09:00:00.000Z", "disabled"],
])("the state %s of a webhook that fails since %s is called %s", (state, failingSince, label) => {
  expect(stateOf({ state, failingSince }).label).toBe(label);
});

test.each([
  [[], "All events"],
  [["device.claim", "device.fail"], "Events: claim, fail"],
])("the events %o are %j", (events, want) => {
  expect(eventsOf({ events } as unknown as Webhook)).toBe(want);
});
