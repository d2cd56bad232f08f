/** What an action will do is said for every pair of action and state that the ledger allows, and for no other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONSEQUENCES, consequenceOf } from "../../../src/pages/device/consequences";

const TABLE = join(import.meta.dirname, "../../../../../tests/events/operator_actions.json");
const ALLOWED = JSON.parse(readFileSync(TABLE, "utf8")).actions as Record<string, string[]>;
const pairs = (of: Record<string, object>) =>
  Object.entries(of).flatMap(([action, states]) => Object.keys(states).map((state) => `${state} ${action}`));

test("the table has every pair that is allowed, and no other", () => {
  const allowed = Object.entries(ALLOWED).flatMap(([state, actions]) =>
    actions.map((action) => `${state} ${action}`),
  );
  expect(pairs(CONSEQUENCES).sort()).toEqual(allowed.sort());
});

test("revoking is called final in every state", () => {
  for (const words of Object.values(CONSEQUENCES.revoke)) expect(words).toMatch(/final/);
});

test("a device that was never seen is forgotten by a release, one outside stays there, others go back to the lobby", () => {
  const special: Record<string, RegExp> = { expected: /forgotten/, refused: /stays refused/ };
  for (const [state, words] of Object.entries(CONSEQUENCES.release))
    expect(words).toMatch(special[state] ?? /back to the lobby/);
});

test("the target is named as the person knows it", () => {
  expect(consequenceOf("move", "arrived", "Sydney")).toContain("in Sydney until");
  expect(consequenceOf("revoke", "arrived", null)).toContain("in its target");
  for (const states of Object.values(CONSEQUENCES))
    for (const words of Object.values(states)) expect(words.replaceAll("{target}", "")).not.toMatch(/[{}]/);
});

test("what is not allowed has no words", () => {
  expect(consequenceOf("claim", "arrived", null)).toBeUndefined();
  expect(consequenceOf("move", "nowhere", null)).toBeUndefined();
});
