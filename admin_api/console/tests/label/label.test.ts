/** The codec matches the Python one for every vector, and rejects the same texts with the same codes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeLabel, encodeLabel, LabelError } from "../../src/label/label";
import { shortForm } from "../../src/label/short_form";

interface Vector {
  fingerprint: string;
  code: string;
  short: string;
}
const VECTORS = join(import.meta.dirname, "../../../../tests/events/label_vectors.json");
interface Notation {
  name: string;
  text: string;
  fingerprint: string;
}
interface Rejected {
  name: string;
  text: string;
  code: string;
  /** What the error says that the text is. */
  kind?: string;
}
const { labels, accepted, rejected } = JSON.parse(readFileSync(VECTORS, "utf8")) as {
  labels: Vector[];
  accepted: Notation[];
  rejected: Rejected[];
};
const [, , , vector] = labels as [Vector, Vector, Vector, Vector];

test("reads the vectors", () => expect(labels.length).toBeGreaterThan(10));

describe.each(labels)("$short", ({ fingerprint, code, short }) => {
  test("encodes the fingerprint", () => expect(encodeLabel(fingerprint)).toBe(code));
  test("decodes the code", () => expect(decodeLabel(code)).toBe(fingerprint));
  test("formats the short form", () => expect(shortForm(fingerprint)).toBe(short));
});

test.each([
  ["in lower case", (code: string) => code.toLowerCase()],
  ["in groups of four", (code: string) => code.replace(/(.{4})/g, "$1 ")],
  ["on several lines", (code: string) => code.replace(/(.{16})/g, "$1\r\n")],
  ["with dashes", (code: string) => code.replace(/(.{4})/g, "$1-")],
])("decodes a code %s", (_, written) => expect(decodeLabel(written(vector.code))).toBe(vector.fingerprint));

test.each([
  ["lower case", vector.fingerprint],
  ["upper case", vector.fingerprint.toUpperCase()],
  ["colons", vector.fingerprint.replace(/(..)(?=.)/g, "$1:")],
  ["spaces around", `  ${vector.fingerprint}\n`],
])("decodes bare hex: %s", (_, written) => expect(decodeLabel(written)).toBe(vector.fingerprint));

test.each(accepted)("accepts $name", ({ text, fingerprint }) => expect(decodeLabel(text)).toBe(fingerprint));

test.each(rejected)("rejects $name", ({ text, code, kind }) => {
  expect(refusalOf(text).code).toBe(code);
  if (kind) expect(refusalOf(text).message).toContain(` (${kind}), want`);
});

test.each([
  ["nothing", "", "INVALID_FINGERPRINT"],
  ["an address", "https://example.com/DL1:", "INVALID_FINGERPRINT"],
  ["hex cut short", vector.fingerprint.slice(1), "INVALID_FINGERPRINT"],
  ["hex with an invalid letter", `${vector.fingerprint.slice(1)}g`, "INVALID_FINGERPRINT"],
  ["the prefix alone", "DL1:", "INVALID_LABEL"],
  ["a code cut short", vector.code.slice(0, -1), "INVALID_LABEL"],
  ["a code with an extra character", `${vector.code}A`, "INVALID_LABEL"],
  ["a digit that is not in base32", `${vector.code.slice(0, -1)}8`, "INVALID_LABEL"],
  ["one character mistyped", vector.code.replace("AER", "AEB"), "INVALID_LABEL"],
  ["two characters swapped", vector.code.replace("AER", "ARE"), "INVALID_LABEL"],
  ["a huge text", "DL1:".repeat(1_000_000), "INVALID_LABEL"],
])("rejects %s", (_, text, code) => {
  const refusal = refusalOf(text);
  expect(refusal.code).toBe(code);
  expect(refusal.message).toMatch(/^got .*, /s);
  expect(refusal.message.length).toBeLessThan(250);
});

function refusalOf(text: string): LabelError {
  try {
    decodeLabel(text);
  } catch (error) {
    if (error instanceof LabelError) return error;
  }
  throw new Error(`got no refusal of ${text}`);
}
