/** The console's words for reason codes cover what the README and the commissioner know. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REASONS, reasonWords } from "../../src/parts/reasons";

const project = (path: string) => readFileSync(join(import.meta.dirname, "../../../..", path), "utf8");

/** The codes in the first column of the README's table of reasons. */
function codesOfReadme(): string[] {
  const [, section = ""] = project("README.md").split("## When a device is stuck");
  const rows = section.split("\n## ")[0]?.split("\n") ?? [];
  return rows.flatMap((row) =>
    [...(row.match(/^\| ((`[A-Z_]+`(, )?)+) \|/)?.[1]?.matchAll(/`(\w+)`/g) ?? [])].map(
      ([, code]) => code ?? "",
    ),
  );
}

test("every code of the README's table has its words, and there are no others", () => {
  const codes = codesOfReadme();
  expect(codes.length).toBeGreaterThan(25);
  expect(Object.keys(REASONS).sort()).toEqual(codes.sort());
});

test("every refusal of the commissioner has its words", () => {
  const [, table = ""] = project("commissioner/errors.py").split("REASONS: Final = {");
  const codes = [...(table.split("\n}")[0] ?? "").matchAll(/^ {4}"([A-Z_]+)":/gm)].map(
    ([, code]) => code ?? "",
  );
  expect(codes.length).toBeGreaterThan(8);
  for (const code of codes) expect(REASONS).toHaveProperty(code);
});

test("meanings are one line, and each says what to do", () => {
  for (const { meaning, mend } of Object.values(REASONS)) {
    expect(meaning.length).toBeLessThan(64);
    expect(meaning).not.toMatch(/\.$/);
    expect(mend).toMatch(/\.$/);
  }
});

test("a code that nobody has told us of leads to the device's page", () => {
  expect(reasonWords("BRAND_NEW").mend).toContain("device's page");
});
