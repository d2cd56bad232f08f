/** Which codes are labels, their order, and which are new. */
import { describe, expect, test } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import {
  type Code,
  FORGOTTEN_AFTER_MS,
  type Memory,
  newCodes,
  scanResultOf,
  serialOf,
} from "../../../src/pages/claim/scanner/scan_result";

const A = "aa".repeat(32);
const B = "bb".repeat(32);

function code(rawValue: string, x = 0, y = 0): Code {
  return { rawValue, boundingBox: { x, y, width: 10, height: 10 } };
}

describe("a picture", () => {
  test("lists the label nearest to the centre first", () => {
    const codes = [code(encodeLabel(A), 0, 0), code(encodeLabel(B), 600, 350)];
    expect(scanResultOf(codes, { x: 640, y: 360 }).labels).toEqual([B, A]);
    expect(scanResultOf(codes).labels).toEqual([A, B]);
  });
  test("reads v0.1's bare hex as a label", () =>
    expect(scanResultOf([code(A.toUpperCase())]).labels).toEqual([A]));
  test("lists a repeated label once", () =>
    expect(scanResultOf([code(A), code(encodeLabel(A))]).labels).toEqual([A]));
  test.each([
    ["an address", "https://example.com/?a=1", '"https://example.com/?a=1"'],
    ["a damaged code", `${encodeLabel(A).slice(0, -1)}A`, /^"DL1:/],
    ["control characters", "a\u0000\nb", '"a\\u0000\\nb"'],
    ["a long text", "x".repeat(4000), /… \(4000 characters\)$/],
  ])("quotes %s on one line", (_, text, said) => {
    const { labels, otherCode } = scanResultOf([code(text)]);
    expect(labels).toEqual([]);
    expect(otherCode).toMatch(said);
  });
});

describe("new codes", () => {
  const see = (memory: Memory, certid: string, now: number) =>
    newCodes(memory, { labels: [certid], otherCode: null }, now);

  test("reports a label that stays in the picture once", () => {
    let { newCodes: first, memory } = see(new Map(), A, 0);
    expect(first.labels).toEqual([A]);
    for (let now = 100; now < 10_000; now += 100) {
      const then = see(memory, A, now);
      expect(then.newCodes.labels).toEqual([]);
      memory = then.memory;
    }
  });
  test("reports a label again after it was away", () => {
    const { memory } = see(new Map(), A, 0);
    expect(see(memory, A, FORGOTTEN_AFTER_MS + 1).newCodes.labels).toEqual([A]);
  });
  test("reports another label immediately", () => {
    const { memory } = see(new Map(), A, 0);
    expect(see(memory, B, 1).newCodes.labels).toEqual([B]);
  });
  test("reports another code once, too", () => {
    const scan = { labels: [], otherCode: '"x"' };
    const { newCodes: first, memory } = newCodes(new Map(), scan, 0);
    expect(first.otherCode).toBe('"x"');
    expect(newCodes(memory, scan, 100).newCodes.otherCode).toBeNull();
  });
  test("forgets codes that left the picture", () => {
    let memory: Memory = new Map();
    for (let at = 0; at < 100; at++) memory = see(memory, `${at}`, at * FORGOTTEN_AFTER_MS).memory;
    expect(memory.size).toBeLessThan(4);
  });
});

test.each([
  ["pump-17", "pump-17"],
  [" SN-0017\n", "SN-0017"],
  ["4711", "4711"],
  ["a:b_c", "a:b_c"],
  ["DL1:ABCD", null],
  ["dl1:abcd", null],
  ["ab".repeat(20), null],
  [`${"AB:".repeat(31)}AB`, null],
  ["https://maker.test/17", null],
  ["two words", null],
  ["x".repeat(129), null],
  ["", null],
])("the serial number in %j", (text, serial) => {
  expect(serialOf(text)).toBe(serial);
});
