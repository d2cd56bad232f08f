/** The search box: what a text can be. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Kind, parseSearch } from "../../../src/pages/devices/search_text";

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
])("%j can be the start of: %j", (text, kinds) => {
  expect(parseSearch(text)).toMatchObject({ is: "prefix", kinds });
});

test("removes the separators of a fingerprint", () => {
  expect(parseSearch(" 3F2A 91bc ")).toMatchObject({ print: "3f2a91bc" });
});

test("reads a complete label in any form as one device", () => {
  const { fingerprint = "", code = "" } = LABEL ?? {};
  const pairs = fingerprint.toUpperCase().match(/../g)?.join(":") ?? "";
  for (const text of [fingerprint, pairs, code, code.toLowerCase(), `${code.slice(0, 20)} ${code.slice(20)}`])
    expect(parseSearch(text)).toEqual({ is: "device", certid: fingerprint });
});

test.each([
  ["s", /at least 2 characters/],
  ["3", /at least 2 characters/],
  ["a b", /Names have no spaces/],
  ["sensor/1", /"\/" is not allowed/],
  ["größe", /"ö" is not allowed/],
  ["x".repeat(129), /129 characters, 128 at most/],
  ["DL1:H4VJ", /want DL1: and 56/],
  ["DL1:H4VJDPAH2QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZQUA", /want|mistyped/],
])("does not search for %j, and states why", (text, why) => {
  const reading = parseSearch(text);
  expect(reading.is).toBe("unfit");
  expect(reading.is === "unfit" && reading.message).toMatch(why);
});

test("searches for nothing if empty", () => {
  expect(parseSearch("  ")).toEqual({ is: "nothing" });
});
