/** The size budget, and the version of a build. */
import { expect, test } from "vitest";
import { BUDGET_BYTES, gzippedBytes, requireBudget, versionOf } from "../../build/service_worker.ts";

test("accepts less than the budget, rejects the budget itself", () => {
  expect(() => requireBudget(BUDGET_BYTES - 1)).not.toThrow();
  expect(() => requireBudget(BUDGET_BYTES)).toThrow(`got ${BUDGET_BYTES} bytes`);
});

test("measures the compressed size", () => {
  const text = "the same words again and again ".repeat(1000);
  expect(gzippedBytes([text])).toBeLessThan(text.length / 50);
  expect(gzippedBytes([text, text])).toBe(2 * gzippedBytes([text]));
});

test("changes the version with any file or file boundary", () => {
  expect(versionOf(["a", "b"])).toBe(versionOf(["a", "b"]));
  expect(versionOf(["a", "b"])).not.toBe(versionOf(["a", "c"]));
  expect(versionOf(["ab", ""])).not.toBe(versionOf(["a", "b"]));
});
