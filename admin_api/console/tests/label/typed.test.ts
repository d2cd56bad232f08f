/** Typing a label code: count, grouping, rules and suggestions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shortForm } from "../../src/label/short_form";
import { caretIn, readTyped } from "../../src/label/typed";

const VECTORS = join(import.meta.dirname, "../../../../tests/events/label_vectors.json");
const { accepted } = JSON.parse(readFileSync(VECTORS, "utf8")) as {
  accepted: { name: string; text: string; fingerprint: string }[];
};
const CERTID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const CODE = "DL1:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLHRGV433YBENCWPCNLZXXQ2IQ7";
const PRINTED = "DL1: AERU KZ4J VPG6\n6AJD IVTY TK6N 54AS\nGRLH RGV4 33YB ENCW\nPCNL ZXXQ 2IQ7";

describe("counting and grouping", () => {
  test.each([
    ["", "", 0, null],
    ["d", "D", 1, null],
    ["dl1", "DL1", 0, 56],
    ["dl1:", "DL1:", 0, 56],
    ["dl1:a", "DL1: A", 1, 56],
    ["dl1aeruk", "DL1: AERU K", 5, 56],
    ["aeru", "AERU", 4, 56],
    ["aeruk", "DL1: AERU K", 5, 56],
    ["abcde", "ABCD E", 5, null],
    ["0123 4", "0123 4", 5, 64],
    ["3f:2a:91", "3F2A 91", 6, 64],
  ])("%j is shown as %j: %i of %s", (text, shown, have, want) => {
    expect(readTyped(text)).toMatchObject({ shown, have, want, problem: null, certid: null });
  });

  test("formats a code in the lines printed on the label", () => {
    expect(readTyped(CODE.toLowerCase()).shown).toBe(PRINTED);
  });
});

describe("complete", () => {
  test.each([
    ["a code", CODE],
    ["a code as it is printed", PRINTED],
    ["a code without its prefix", CODE.slice(4)],
    ["hex", CERTID],
    ["hex with colons", CERTID.toUpperCase().replace(/(..)(?=.)/g, "$1:")],
    ["hex without a digit that only hex has", "ab".repeat(32)],
  ])("%s", (_, text) => {
    const { certid, problem } = readTyped(text);
    expect(problem).toBeNull();
    expect(certid).toMatch(/^[0-9a-f]{64}$/);
  });

  test("reads its own formatting the same way", () => {
    for (let length = 0; length <= CODE.length; length++) {
      const once = readTyped(CODE.slice(0, length));
      expect(readTyped(once.shown)).toEqual(once);
    }
  });
});

describe("rejects impossible characters immediately and suggests likely misreadings", () => {
  test.each([
    ["DL1:AE0", "Not allowed: “0”. Use A-Z and 2-7.", ["Change 0 to O"], "DL1: AEO"],
    ["DL1:A8R1", "Not allowed: “8”, “1”. Use A-Z and 2-7.", ["Change 8 to B, 1 to I"], "DL1: ABRI"],
    ["KZ9", "Not allowed: “9”. Use A-Z and 2-7.", [], undefined],
    ["DL1:AE!", "Not allowed: “!”. Use A-Z and 2-7.", [], undefined],
    ["DL1:ÄE", "Not allowed: “Ä”. Use A-Z and 2-7.", [], undefined],
    ["0123 8O", "Not allowed: “O”. Use 0-9 and A-F.", ["Change O to 0"], "0123 80"],
    ["A!", "Not allowed: “!”. Use letters and digits.", [], undefined],
    ["DLI:AERU", "The code starts with “DLI:”. Expected “DL1:”.", ["Change the start to DL1:"], "DL1: AERU"],
  ])("%j", (text, message, suggestions, suggested) => {
    const { problem, certid } = readTyped(text);
    expect(problem?.message).toBe(message);
    expect(problem?.suggestions.map(({ label }) => label)).toEqual(suggestions);
    expect(problem?.suggestions[0]?.text).toBe(suggested);
    expect(certid).toBeNull();
  });

  test("counts surplus characters", () => {
    expect(readTyped(`${CODE}A`).problem?.message).toBe("Too long: 57 characters instead of 56.");
    expect(readTyped(`${CERTID}0`).problem?.message).toBe("Too long: 65 characters instead of 64.");
  });
});

describe("a code with wrong check characters", () => {
  test.each([
    ["one character wrong", CODE.replace("IVTY", "IVTV"), "Line 2: change IVTV to IVTY"],
    ["two characters swapped", CODE.replace("IVTY", "IVYT"), "Line 2: change IVYT to IVTY"],
    [
      "two swapped across groups",
      CODE.replace("KZ4JVPG6", "KZ4VJPG6"),
      "Line 1: change KZ4V JPG6 to KZ4J VPG6",
    ],
    ["a check character wrong", CODE.replace(/7$/, "6"), "Line 4: change 2IQ6 to 2IQ7"],
  ])("%s: suggests the correction with its line", (_, text, label) => {
    const { problem, certid } = readTyped(text);
    expect(certid).toBeNull();
    expect(problem?.message).toMatch(/mistyped/);
    const suggestion = problem?.suggestions.find((each) => each.label === label);
    expect(suggestion && readTyped(suggestion.text).certid).toBe(CERTID);
  });

  test("suggests nothing for two wrong characters", () => {
    const { problem, certid } = readTyped(CODE.replace("AERU", "AARA"));
    expect(certid).toBeNull();
    expect(problem?.suggestions).toEqual([]);
  });
});

test("reads the fingerprint that the label's short form shows", () => {
  expect(shortForm(readTyped(PRINTED).certid ?? "")).toBe("0123 4567 89AB");
});

test.each([
  ["DL1:AERUK|", "DL1: AERU K|"],
  ["DL1:AERU|", "DL1: AERU|"],
  ["AERUK|", "DL1: AERU K|"],
  ["DL1: AE|XRU KZ4J", "DL1: AE|XR UKZ4 J"],
  ["dl1|", "DL1|"],
  ["DL1: AERU KZ4J VPG66|", "DL1: AERU KZ4J VPG6\n6|"],
  ["DL1:|A", "DL1:| A"],
])("the caret in %j goes to %j", (typed, wanted) => {
  const text = typed.replace("|", "");
  const { shown } = readTyped(text);
  const caret = caretIn(shown, text, typed.indexOf("|"));
  expect(`${shown.slice(0, caret)}|${shown.slice(caret)}`).toBe(wanted);
});

test.each(accepted)("reads pasted text: $name", ({ text, fingerprint }) => {
  const pasted = readTyped(text);
  expect(pasted.certid).toBe(fingerprint);
  expect(readTyped(pasted.shown).certid).toBe(fingerprint);
});

test.each(accepted.filter(({ name }) => name.startsWith("keys of")))(
  "reads what a barcode reader types, character by character: $name",
  ({ text, fingerprint }) => {
    const field = [...text].reduce((shown, character) => readTyped(shown + character).shown, "");
    expect(readTyped(field).certid).toBe(fingerprint);
  },
);
