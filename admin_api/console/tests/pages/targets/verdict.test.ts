/** A check in words: what is missing, what could only not be told, and whether the set-up command helps. */
import { expect, test } from "vitest";
import { fitting } from "../../../src/pages/targets/target_list";
import { verdictOf, waitsForRole, worstFirst } from "../../../src/pages/targets/verdict";
import { DENIED, FOUND, NO_ROLE, PORTO, SYDNEY, UNTOLD } from "./answers";

test.each([
  [FOUND, "All 3 found", false],
  [[...FOUND, DENIED], "1 of 4 missing", true],
  [[NO_ROLE], "The role cannot be assumed", true],
  [[{ ...NO_ROLE, message: UNTOLD.message }], "1 step could not be told", false],
  [[...FOUND, DENIED, UNTOLD], "1 of 5 missing", true],
  [[...FOUND, UNTOLD], "1 step could not be told", false],
  [[], "Nothing was found", false],
])("%j", (findings, words, wantsSetup) => {
  const ok = findings.length > 0 && findings.every((finding) => finding.ok);
  expect(verdictOf({ ok, findings })).toEqual({ ok, words, wantsSetup });
});

test("what needs somebody comes first, the rest as it was tried", () => {
  expect(worstFirst([...FOUND, DENIED]).map(({ step }) => step)).toEqual([
    "iot:Publish",
    "sts:AssumeRole",
    "iot:CreateThing",
    "iot:DescribeEndpoint",
  ]);
});

test("a command without the role waits for the Region that has it", () => {
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
])("searching for %j gives %j", (sought, want) => {
  expect(fitting([PORTO, SYDNEY], sought).map(({ name }) => name)).toEqual(want);
});

test("names with numbers are in the order of the numbers", () => {
  const plants = ["Plant 10", "Plant 2"].map((name) => ({ ...PORTO, name }));
  expect(fitting(plants, "").map(({ name }) => name)).toEqual(["Plant 2", "Plant 10"]);
});
