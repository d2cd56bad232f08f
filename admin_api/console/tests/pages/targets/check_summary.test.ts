/** The summary of a check: missing, inconclusive, and whether the setup command helps. */
import { expect, test } from "vitest";
import { summarize, waitsForRole, worstFirst } from "../../../src/pages/targets/check_summary";
import { fitting } from "../../../src/pages/targets/target_list";
import { DENIED, FOUND, INCONCLUSIVE, NO_ROLE, PORTO, SYDNEY } from "./target_fixtures";

test.each([
  [FOUND, "All 3 found", false],
  [[...FOUND, DENIED], "1 of 4 missing", true],
  [[NO_ROLE], "The role can't be assumed", true],
  [[{ ...NO_ROLE, message: INCONCLUSIVE.message }], "1 step inconclusive", false],
  [[...FOUND, DENIED, INCONCLUSIVE], "1 of 5 missing", true],
  [[...FOUND, INCONCLUSIVE], "1 step inconclusive", false],
  [[], "Nothing found", false],
])("%j", (findings, text, needsSetup) => {
  const ok = findings.length > 0 && findings.every((finding) => finding.ok);
  expect(summarize({ ok, findings })).toEqual({ ok, text, needsSetup });
});

test("lists problems first, the rest in order", () => {
  expect(worstFirst([...FOUND, DENIED]).map(({ step }) => step)).toEqual([
    "iot:Publish",
    "sts:AssumeRole",
    "iot:CreateThing",
    "iot:DescribeEndpoint",
  ]);
});

test("waits for the Region that has the role", () => {
  expect(waitsForRole("./deploy.sh target --account 2 --without-role")).toBe(true);
  expect(waitsForRole("./deploy.sh target --account 2")).toBe(false);
});

test.each([
  ["", ["Lab Sydney", "Plant Porto"]],
  ["porto", ["Plant Porto"]],
  [" 3333 ", ["Lab Sydney"]],
  ["EU-WEST", ["Plant Porto"]],
  ["default", ["Lab Sydney", "Plant Porto"]],
  ["nowhere", []],
])("finds for %j: %j", (search, want) => {
  expect(fitting([PORTO, SYDNEY], search).map(({ name }) => name)).toEqual(want);
});

test("sorts numbers in names numerically", () => {
  const plants = ["Plant 10", "Plant 2"].map((name) => ({ ...PORTO, name }));
  expect(fitting(plants, "").map(({ name }) => name)).toEqual(["Plant 2", "Plant 10"]);
});
