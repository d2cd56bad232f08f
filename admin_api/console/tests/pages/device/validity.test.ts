/** Warnings about a certificate's validity dates. */
import { expect, test } from "vitest";
import { validityOf, validityText } from "../../../src/pages/device/validity";

const NOW = new Date("2026-11-22T12:00:00Z");
const text = (notBefore: string, notAfter: string) => validityText(validityOf(notBefore, notAfter, NOW));

test.each([
  ["2026-01-01T00:00:00Z", "2026-11-22T11:59:59Z", /^Expired/],
  ["2026-11-23T00:00:00Z", "2036-01-01T00:00:00Z", /^Not valid yet/],
  ["2026-01-01T00:00:00Z", "2026-11-22T23:00:00Z", /Expires today/],
  ["2026-01-01T00:00:00Z", "2026-11-24T00:00:00Z", /Expires in 1 day\./],
  ["2026-01-01T00:00:00Z", "2026-12-22T11:59:59Z", /Expires in 29 days/],
])("from %s to %s: %s", (from, to, want) => {
  expect(text(from, to)).toMatch(want);
});

test("has no warning for a valid certificate", () => {
  expect(text("2026-01-01T00:00:00Z", "2026-12-22T12:00:01Z")).toBeNull();
});
