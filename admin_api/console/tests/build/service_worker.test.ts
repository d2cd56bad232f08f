/** The budget that stops a build, and the version that tells editions apart. */
import { expect, test } from "vitest";
import { BUDGET_BYTES, gzippedBytes, requireBudget, versionOf } from "../../build/service_worker.ts";

test("less than the budget passes, the budget itself does not", () => {
  expect(() => requireBudget(BUDGET_BYTES - 1)).not.toThrow();
  expect(() => requireBudget(BUDGET_BYTES)).toThrow(`got ${BUDGET_BYTES} bytes`);
});

test("sizes are of what goes over the wire", () => {
  const text = "the same words again and again ".repeat(1000);
  expect(gzippedBytes([text])).toBeLessThan(text.length / 50);
  expect(gzippedBytes([text, text])).toBe(2 * gzippedBytes([text]));
});

test("a version changes with any file, and with where one ends", () => {
  expect(versionOf(["a", "b"])).toBe(versionOf(["a", "b"]));
  expect(versionOf(["a", "b"])).not.toBe(versionOf(["a", "c"]));
  expect(versionOf(["ab", ""])).not.toBe(versionOf(["a", "b"]));
});
