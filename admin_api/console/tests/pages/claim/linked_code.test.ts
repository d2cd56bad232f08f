/** Links to the claim page: which addresses contain a code. */
import { expect, test } from "vitest";
import { encodeLabel } from "../../../src/label/label";
import { linkedCode, withoutCode } from "../../../src/pages/claim/linked_code";

const CERTID = `a1${"b2".repeat(31)}`;
const CODE = encodeLabel(CERTID);

test.each([
  `https://console.example/claim#${CODE}`,
  `https://console.example/claim#${CODE.toLowerCase()}`,
  `https://console.example/claim#${encodeURIComponent(CODE)}`,
  `https://console.example/claim?code=${CODE}`,
  `https://console.example/claim?code=${CERTID}&from=mail`,
  `https://console.example/claim/?code=${encodeURIComponent(CODE)}`,
])("reads the code in %s", (address) => {
  expect(linkedCode(address)).toEqual({ is: "opened", label: CERTID });
});

test.each([
  "https://console.example/claim",
  "https://console.example/claim#",
  "https://console.example/claim#content",
  "https://console.example/claim?target=1",
])("finds no code in %s", (address) => expect(linkedCode(address)).toBeNull());

test.each([
  `https://console.example/claim#${CODE.slice(0, -1)}A`,
  "https://console.example/claim#DL1:AAAA",
  "https://console.example/claim?code=",
  "https://console.example/claim?code=hello",
])("reports the invalid code in %s", (address) => {
  expect(linkedCode(address)).toEqual({ is: "error", text: expect.stringContaining("no valid code") });
});

test("removes the code from the address", () => {
  expect(withoutCode(`https://console.example/claim?code=${CODE}#x`)).toBe("/claim");
});
