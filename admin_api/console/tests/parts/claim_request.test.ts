/** The claim form applies the ledger's rules and builds the API variables. */
import { expect, test } from "vitest";
import {
  type ClaimRequest,
  configError,
  EMPTY_REQUEST,
  effectiveProfile,
  lacksProfile,
  MAX_CONFIG_BYTES,
  variablesOf,
  withOnlyTarget,
  withTarget,
} from "../../src/parts/claim_request";
import type { TargetEntry } from "../../src/parts/targets";

const ROTTERDAM = {
  account: "200000000002",
  region: "eu-west-1",
  name: "Rotterdam",
  profiles: ["default", "gateway"],
  presence: false,
};
const SYDNEY = {
  ...ROTTERDAM,
  account: "300000000003",
  region: "ap-southeast-2",
  name: "Sydney",
  profiles: ["gateway"],
};
const TARGETS: TargetEntry[] = [ROTTERDAM, SYDNEY];
const there: ClaimRequest = { ...EMPTY_REQUEST, target: "200000000002/eu-west-1" };

test("omits what is not chosen", () => {
  expect(variablesOf(there)).toEqual({ target: { account: "200000000002", region: "eu-west-1" } });
});

test("sends text, JSON and profile", () => {
  expect(variablesOf({ ...there, kind: "text", text: "60" })?.config).toBe("60");
  expect(variablesOf({ ...there, kind: "json", json: ' {"a": [1]} ' })?.config).toEqual({ a: [1] });
  expect(variablesOf({ ...there, profile: "gateway" })?.profile).toBe("gateway");
});

test.each<[Partial<ClaimRequest>, RegExp]>([
  [{ kind: "text", text: "" }, /Enter text/],
  [{ kind: "text", text: "factory reset" }, /factory reset/],
  [{ kind: "text", text: "x".repeat(MAX_CONFIG_BYTES) }, /8,194 bytes, 8,192 at most/],
  [{ kind: "text", text: "é".repeat(MAX_CONFIG_BYTES / 2) }, /8,194 bytes/],
  [{ kind: "json", json: `{"a": ${"[".repeat(32)}1${"]".repeat(32)}}` }, /Nested deeper than 32/],
  [{ kind: "json", json: "  " }, /Enter a JSON object/],
  [{ kind: "json", json: '{"a": 1,}' }, /Invalid JSON/],
  [{ kind: "json", json: "[1]" }, /an object in { }, not a list/],
  [{ kind: "json", json: "60" }, /an object in { }, not 60/],
  [{ kind: "json", json: "null" }, /an object in { }, not null/],
  [{ kind: "json", json: '{"a": NaN}' }, /Invalid JSON/],
])("rejects %j", (draft, why) => {
  expect(configError({ ...there, ...draft })).toMatch(why);
  expect(variablesOf({ ...there, ...draft })).toBeUndefined();
});

test("accepts a config with 32 levels", () => {
  const json = `{"a": ${"[".repeat(31)}1${"]".repeat(31)}}`;
  expect(configError({ ...there, kind: "json", json })).toBeUndefined();
});

test("sends nothing without a target", () => {
  expect(variablesOf(EMPTY_REQUEST)).toBeUndefined();
});

test("selects the only target", () => {
  expect(withOnlyTarget(EMPTY_REQUEST, [SYDNEY]).target).toBe("300000000003/ap-southeast-2");
  expect(withOnlyTarget(EMPTY_REQUEST, TARGETS).target).toBeNull();
  expect(withOnlyTarget(there, [SYDNEY]).target).toBe(there.target);
});

test("clears a profile that the other target lacks", () => {
  const chosen = { ...there, profile: "default" };
  expect(withTarget(chosen, "300000000003/ap-southeast-2", TARGETS).profile).toBeNull();
  expect(withTarget({ ...there, profile: "gateway" }, "300000000003/ap-southeast-2", TARGETS).profile).toBe(
    "gateway",
  );
});

test("uses the default profile for a claim, and keeps the current one for a move", () => {
  const sydney = { ...EMPTY_REQUEST, target: "300000000003/ap-southeast-2" };
  expect(effectiveProfile(there, TARGETS)).toBe("default");
  expect(effectiveProfile(sydney, TARGETS)).toBe("gateway");
  expect(effectiveProfile(sydney, TARGETS, "default")).toBe("default");
  expect(lacksProfile(sydney, TARGETS, "default")).toBe(true);
  expect(lacksProfile({ ...sydney, profile: "gateway" }, TARGETS, "default")).toBe(false);
  expect(lacksProfile(sydney, TARGETS)).toBe(false);
});
