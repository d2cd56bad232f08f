/** What is typed into a claim is held to the ledger's rules before it is sent, and sent as it was meant. */
import { expect, test } from "vitest";
import type { TargetEntry } from "../../src/parts/targets";
import {
  faultOf,
  lacksProfile,
  MAX_CONFIG_BYTES,
  NO_WISH,
  presumed,
  sentTo,
  unsaidProfile,
  variablesOf,
  type Wish,
} from "../../src/parts/wish";

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
const there: Wish = { ...NO_WISH, target: "200000000002/eu-west-1" };

test("what is not said is not sent", () => {
  expect(variablesOf(there)).toEqual({ target: { account: "200000000002", region: "eu-west-1" } });
});

test("text is sent as text, JSON as what it says, a profile as chosen", () => {
  expect(variablesOf({ ...there, kind: "text", text: "60" })?.config).toBe("60");
  expect(variablesOf({ ...there, kind: "json", json: ' {"a": [1]} ' })?.config).toEqual({ a: [1] });
  expect(variablesOf({ ...there, profile: "gateway" })?.profile).toBe("gateway");
});

test.each<[Partial<Wish>, RegExp]>([
  [{ kind: "text", text: "" }, /got no text/],
  [{ kind: "text", text: "factory reset" }, /factory reset/],
  [{ kind: "text", text: "x".repeat(MAX_CONFIG_BYTES) }, /got 8194 bytes, want at most 8192/],
  [{ kind: "text", text: "é".repeat(MAX_CONFIG_BYTES / 2) }, /got 8194 bytes/],
  [{ kind: "json", json: `{"a": ${"[".repeat(32)}1${"]".repeat(32)}}` }, /nested deeper than 32/],
  [{ kind: "json", json: "  " }, /got nothing/],
  [{ kind: "json", json: '{"a": 1,}' }, /got no JSON/],
  [{ kind: "json", json: "[1]" }, /got a list, want an object/],
  [{ kind: "json", json: "60" }, /got 60, want an object/],
  [{ kind: "json", json: "null" }, /got null, want an object/],
  [{ kind: "json", json: '{"a": NaN}' }, /got no JSON/],
])("%j is refused before it is sent", (typed, why) => {
  expect(faultOf({ ...there, ...typed })).toMatch(why);
  expect(variablesOf({ ...there, ...typed })).toBeUndefined();
});

test("a config may be nested 32 deep", () => {
  const json = `{"a": ${"[".repeat(31)}1${"]".repeat(31)}}`;
  expect(faultOf({ ...there, kind: "json", json })).toBeUndefined();
});

test("nothing is sent without a target", () => {
  expect(variablesOf(NO_WISH)).toBeUndefined();
});

test("one target is meant where there is only one", () => {
  expect(presumed(NO_WISH, [SYDNEY]).target).toBe("300000000003/ap-southeast-2");
  expect(presumed(NO_WISH, TARGETS).target).toBeNull();
  expect(presumed(there, [SYDNEY]).target).toBe(there.target);
});

test("a profile that the other target does not have is no longer wished for", () => {
  const chosen = { ...there, profile: "default" };
  expect(sentTo(chosen, "300000000003/ap-southeast-2", TARGETS).profile).toBeNull();
  expect(sentTo({ ...there, profile: "gateway" }, "300000000003/ap-southeast-2", TARGETS).profile).toBe(
    "gateway",
  );
});

test("a claim takes the usual profile, a move keeps its own and says where that is missing", () => {
  const sydney = { ...NO_WISH, target: "300000000003/ap-southeast-2" };
  expect(unsaidProfile(there, TARGETS)).toBe("default");
  expect(unsaidProfile(sydney, TARGETS)).toBe("gateway");
  expect(unsaidProfile(sydney, TARGETS, "default")).toBe("default");
  expect(lacksProfile(sydney, TARGETS, "default")).toBe(true);
  expect(lacksProfile({ ...sydney, profile: "gateway" }, TARGETS, "default")).toBe(false);
  expect(lacksProfile(sydney, TARGETS)).toBe(false);
});
