/** What the field says with every key: counts, groups, rules and offers. */
import { describe, expect, test } from "vitest";
import { shortForm } from "../../src/label/short_form";
import { caretIn, readTyped } from "../../src/label/typed";

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
    expect(readTyped(text)).toMatchObject({ shown, have, want, trouble: null, certid: null });
  });

  test("a code is shown as it is printed, line by line", () => {
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
    ["hex without any digit that only hex has", "ab".repeat(32)],
  ])("%s", (_, text) => {
    const { certid, trouble } = readTyped(text);
    expect(trouble).toBeNull();
    expect(certid).toMatch(/^[0-9a-f]{64}$/);
  });

  test("what is shown is read the same way again", () => {
    for (let length = 0; length <= CODE.length; length++) {
      const once = readTyped(CODE.slice(0, length));
      expect(readTyped(once.shown)).toEqual(once);
    }
  });
});

describe("what cannot be is refused at once, and a likely slip is offered", () => {
  test.each([
    ["DL1:AE0", "got “0”, want A-Z and 2-7 only", ["Read 0 as O"], "DL1: AEO"],
    ["DL1:A8R1", "got “8”, “1”, want A-Z and 2-7 only", ["Read 8 as B, 1 as I"], "DL1: ABRI"],
    ["KZ9", "got “9”, want A-Z and 2-7 only", [], undefined],
    ["DL1:AE!", "got “!”, want A-Z and 2-7 only", [], undefined],
    ["DL1:ÄE", "got “Ä”, want A-Z and 2-7 only", [], undefined],
    ["0123 8O", "got “O”, want 0-9 and A-F only", ["Read O as 0"], "0123 80"],
    ["A!", "got “!”, want letters and digits only", [], undefined],
    ["DLI:AERU", "got “DLI:” at the beginning, want “DL1:”", ["Read the beginning as DL1:"], "DL1: AERU"],
  ])("%j", (text, message, offers, offered) => {
    const { trouble, certid } = readTyped(text);
    expect(trouble?.message).toBe(message);
    expect(trouble?.offers.map(({ words }) => words)).toEqual(offers);
    expect(trouble?.offers[0]?.text).toBe(offered);
    expect(certid).toBeNull();
  });

  test("too many characters are counted", () => {
    expect(readTyped(`${CODE}A`).trouble?.message).toBe("got 57 characters, want 56");
    expect(readTyped(`${CERTID}0`).trouble?.message).toBe("got 65 characters, want 64");
  });
});

describe("a code whose check does not fit", () => {
  test.each([
    ["one character wrong", CODE.replace("IVTY", "IVTV"), "Line 2: IVTY, not IVTV"],
    ["two swapped", CODE.replace("IVTY", "IVYT"), "Line 2: IVTY, not IVYT"],
    ["two swapped across groups", CODE.replace("KZ4JVPG6", "KZ4VJPG6"), "Line 1: KZ4J VPG6, not KZ4V JPG6"],
    ["a check character wrong", CODE.replace(/7$/, "6"), "Line 4: 2IQ7, not 2IQ6"],
  ])("%s: the right one is offered with the line to look at", (_, text, words) => {
    const { trouble, certid } = readTyped(text);
    expect(certid).toBeNull();
    expect(trouble?.message).toMatch(/mistyped/);
    const offer = trouble?.offers.find((each) => each.words === words);
    expect(offer && readTyped(offer.text).certid).toBe(CERTID);
  });

  test("two wrong characters are too many to guess", () => {
    const { trouble, certid } = readTyped(CODE.replace("AERU", "AARA"));
    expect(certid).toBeNull();
    expect(trouble?.offers).toEqual([]);
  });
});

test("what is taken is what the short form on the label says", () => {
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
