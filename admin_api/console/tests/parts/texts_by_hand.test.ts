/** No module formats days, plurals or thousands by hand, so that all pages show them in the same form. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SRC = join(import.meta.dirname, "../../src");
/** Writes a file name. */
const FILE_NAMES = ["pages/devices/export_button.tsx"];
const BY_HAND: readonly [string, RegExp][] = [
  ["a day cut out of a time: use Day or day", /\.slice\(0, 10\)/],
  ["a plural: use pluralize", /=== 1 \? "(1 )?[a-z]+" : |\? "" : "s"/],
  [
    "a number without separators: use pluralize or formatNumber",
    /\$\{[\w.]*(count|total|length)\} [a-z]+s\b/i,
  ],
];
/** Numbers that never reach a thousand, and texts that name the limits of one line. */
const SMALL = /characters|cells|digits|targets; want|noun/;

test.each(BY_HAND)("%s", (_, pattern) => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  const found = files
    .filter((name) => /\.tsx?$/.test(name) && !FILE_NAMES.includes(name))
    .flatMap((name) =>
      readFileSync(join(SRC, name), "utf8")
        .split("\n")
        .filter((line) => pattern.test(line) && !SMALL.test(line))
        .map((line) => `${name}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
});
