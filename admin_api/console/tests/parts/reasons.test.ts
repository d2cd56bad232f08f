/** The console has texts for the reason codes of the troubleshooting manual and the commissioner. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type NextAction, nextAction, REASONS, reasonText } from "../../src/parts/reasons";

const project = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");

/** The codes in the first column of the manual's table. */
function codesOfManual(): string[] {
  const [, section = ""] = project("docs/troubleshooting.md").split("## Reason codes");
  const rows = section.split("\n## ")[0]?.split("\n") ?? [];
  return rows.flatMap((row) =>
    [...(row.match(/^\| ((`[A-Z_]+`(, )?)+) \|/)?.[1]?.matchAll(/`(\w+)`/g) ?? [])].map(
      ([, code]) => code ?? "",
    ),
  );
}

test("has a text for every code of the manual's table, and no others", () => {
  const codes = codesOfManual();
  expect(codes.length).toBeGreaterThan(25);
  expect(Object.keys(REASONS).sort()).toEqual(codes.sort());
});

test("has a text for every error of the commissioner", () => {
  const [, table = ""] = project("commissioner/errors.py").split("REASONS: Final = {");
  const codes = [...(table.split("\n}")[0] ?? "").matchAll(/^ {4}"([A-Z_]+)":/gm)].map(
    ([, code]) => code ?? "",
  );
  expect(codes.length).toBeGreaterThan(8);
  for (const code of codes) expect(REASONS).toHaveProperty(code);
});

test("has one-line meanings, each with a remedy", () => {
  for (const { meaning, remedy } of Object.values(REASONS)) {
    expect(meaning.length).toBeLessThan(64);
    expect(meaning).not.toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
  }
});

test.each<[string, string | null, NextAction | null]>([
  ["failed", "TARGET_LIMIT", "retry"],
  ["refused", "CRL_STALE", "retry"],
  ["inlobby", "TARGET_ROLE_DENIED", "retry"],
  ["revoked", "TARGET_ROLE_DENIED", "retry"],
  ["proving", "CODE_NOT_SHOWN", "release"],
  ["proving", null, null],
  ["arrived", null, null],
  ["arrived", "TARGET_ROLE_DENIED", null],
  ["commissioned", "TARGET_ROLE_DENIED", null],
  ["revoked", "REVOKED", null],
  ["refused", "REVOKED_BY_ISSUER", null],
  ["refused", "EXPIRED", null],
  ["failed", "TARGET_REVOKED_CERTIFICATE", null],
])("%s, %s: the first action is %s", (state, reason, action) => {
  expect(nextAction(state, reason)).toBe(action);
});

test("refers to the device's page for an unknown code", () => {
  expect(reasonText("BRAND_NEW").remedy).toContain("device's page");
});
