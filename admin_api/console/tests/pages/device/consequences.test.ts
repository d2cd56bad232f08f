/** Every action that the ledger allows has a description, and no other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONSEQUENCES, consequenceOf } from "../../../src/pages/device/consequences";

const TABLE = join(import.meta.dirname, "../../../../../tests/events/operator_actions.json");
const ALLOWED = JSON.parse(readFileSync(TABLE, "utf8")).actions as Record<string, string[]>;
const pairs = (of: Record<string, object>) =>
  Object.entries(of).flatMap(([action, states]) => Object.keys(states).map((state) => `${state} ${action}`));

test("matches the ledger's table exactly", () => {
  const allowed = Object.entries(ALLOWED).flatMap(([state, actions]) =>
    actions.map((action) => `${state} ${action}`),
  );
  expect(pairs(CONSEQUENCES).sort()).toEqual(allowed.sort());
});

test("calls revoking final in every state", () => {
  for (const text of Object.values(CONSEQUENCES.revoke)) expect(text).toMatch(/final/);
});

test("describes the effect of a release: removed, still refused, or back to the lobby", () => {
  const special: Record<string, RegExp> = { expected: /removed/, refused: /stays refused/ };
  for (const [state, text] of Object.entries(CONSEQUENCES.release))
    expect(text).toMatch(special[state] ?? /back to the lobby/);
});

test("uses the target's display name", () => {
  expect(consequenceOf("move", "arrived", "Sydney")).toContain("in Sydney until");
  expect(consequenceOf("revoke", "arrived", null)).toContain("in its target");
  for (const states of Object.values(CONSEQUENCES))
    for (const text of Object.values(states)) expect(text.replaceAll("{target}", "")).not.toMatch(/[{}]/);
});

test("has no text for what is not allowed", () => {
  expect(consequenceOf("claim", "arrived", null)).toBeUndefined();
  expect(consequenceOf("move", "nowhere", null)).toBeUndefined();
});
