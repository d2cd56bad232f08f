/** One box for names, fingerprints and labels: what a text is taken for. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Kind, readingOf } from "../../../src/pages/devices/search_text";

const VECTORS = join(import.meta.dirname, "../../../../../tests/events/label_vectors.json");
const [, , LABEL] = JSON.parse(readFileSync(VECTORS, "utf8")).labels as {
  fingerprint: string;
  code: string;
}[];

test.each<[string, Kind[]]>([
  ["se", ["name"]],
  ["sensor-0", ["name"]],
  ["sensor:a_b", ["name"]],
  ["ab", ["name"]],
  ["face", ["name", "print"]],
  ["1234", ["name", "print"]],
  ["20261122", ["name", "print"]],
  ["3f2a", ["print", "name"]],
  ["3F2A91BC07D4", ["print", "name"]],
  ["3F2A 91BC 07D4", ["print"]],
  ["3f:2a", ["print", "name"]],
  ["ab-cd", ["name", "print"]],
  ["3f2g", ["name"]],
])("%j can be the beginning of: %j", (text, kinds) => {
  expect(readingOf(text)).toMatchObject({ is: "prefix", kinds });
});

test("a fingerprint's digits are searched for without what separates them", () => {
  expect(readingOf(" 3F2A 91bc ")).toMatchObject({ print: "3f2a91bc" });
});

test("a whole label is one device, in any of its forms", () => {
  const { fingerprint = "", code = "" } = LABEL ?? {};
  const pairs = fingerprint.toUpperCase().match(/../g)?.join(":") ?? "";
  for (const text of [fingerprint, pairs, code, code.toLowerCase(), `${code.slice(0, 20)} ${code.slice(20)}`])
    expect(readingOf(text)).toEqual({ is: "device", certid: fingerprint });
});

test.each([
  ["s", /at least 2 characters/],
  ["3", /at least 2 characters/],
  ["a b", /got a space/],
  ["sensor/1", /got "\/", want/],
  ["größe", /got "ö", want/],
  ["x".repeat(129), /got 129 characters, want at most 128/],
  ["DL1:H4VJ", /want DL1: and 56/],
  ["DL1:H4VJDPAH2QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZQUA", /want|mistyped/],
])("%j is not searched for, and it is said why", (text, why) => {
  const reading = readingOf(text);
  expect(reading.is).toBe("unfit");
  expect(reading.is === "unfit" && reading.words).toMatch(why);
});

test("an empty box searches for nothing", () => {
  expect(readingOf("  ")).toEqual({ is: "nothing" });
});
