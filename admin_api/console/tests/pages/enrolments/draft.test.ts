/** The draft of an enrolment: what its signer lacks, and what is sent. */
import { expect, test } from "vitest";
import { EMPTY, faultOf, OWN_CA, variablesOf } from "../../../src/pages/enrolments/draft";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab";
const DRAFT = { ...EMPTY, name: "gateways", door: "token" as const };

test.each([
  [{}, "Enter the ARN of the CA's key."],
  [{ key: " " }, "Enter the ARN of the CA's key."],
  [{ key: KEY }, "Enter the CA's certificate in PEM."],
  [{ key: KEY, ca: "PEM", days: "" }, "Enter the validity of certificates in days."],
  [{ key: KEY, ca: "PEM" }, undefined],
])("a signer with %o", (part, fault) => {
  expect(faultOf({ ...DRAFT, signer: { ...OWN_CA, ...part } })).toBe(fault);
});

test("AWS IoT's CA is the default", () => {
  expect(faultOf(DRAFT)).toBeUndefined();
  expect(variablesOf(DRAFT).signer).toBeNull();
});

test("a signer is sent without spaces around its values", () => {
  const signer = { key: ` ${KEY}\n`, ca: "PEM\n", days: "730" };
  expect(variablesOf({ ...DRAFT, signer }).signer).toEqual({ key: KEY, caCertificate: "PEM", days: 730 });
});
