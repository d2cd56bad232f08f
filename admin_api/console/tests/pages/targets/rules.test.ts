/** The console's rules for a target match the API's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { IOT_REGIONS, suggests } from "../../../src/pages/targets/regions";
import {
  accountFault,
  bareAccount,
  faultsOf,
  fieldOf,
  nameFault,
  profilesFault,
  regionFault,
} from "../../../src/pages/targets/rules";

const GOOD = {
  account: "222222222222",
  region: "eu-west-1",
  name: "Porto",
  profiles: ["default"],
  presence: false,
  clones: "LOBBY" as const,
};

describe("an account", () => {
  test.each(["222222222222", "000000000000"])("accepts %s", (account) => {
    expect(accountFault(account)).toBeNull();
  });

  test.each([
    ["", "An AWS account ID has 12 digits, not 0 digits."],
    ["22222222222", "An AWS account ID has 12 digits, not 11 digits."],
    ["2222222222222", "An AWS account ID has 12 digits, not 13 digits."],
    ["22222222222x", 'An AWS account ID has 12 digits, not "22222222222x".'],
    ["٢٢٢٢٢٢٢٢٢٢٢٢", 'An AWS account ID has 12 digits, not "٢٢٢٢٢٢٢٢٢٢٢٢".'],
  ])("rejects %j", (account, want) => {
    expect(accountFault(account)).toBe(want);
  });

  test("accepts the format of AWS's pages, without dashes", () => {
    expect(bareAccount(" 2222-2222 2222\n")).toBe("222222222222");
  });
});

describe("a Region", () => {
  test.each(["eu-west-1", "us-gov-east-1", "ap-southeast-10"])("accepts %s", (region) => {
    expect(regionFault(region)).toBeNull();
  });

  test.each(["", "eu-west", "EU-WEST-1", "eu_west_1", "eu-west-1 ", "e-west-1", "eu-west-100", "-west-1"])(
    "%j is refused",
    (region) => {
      expect(regionFault(region)).toMatch(/a Region code,? such as eu-west-1\.$/);
    },
  );

  test("suggests only valid codes with a location", () => {
    expect(Object.keys(IOT_REGIONS).length).toBeGreaterThan(20);
    for (const [region, place] of Object.entries(IOT_REGIONS)) {
      expect(regionFault(region)).toBeNull();
      expect(place).toMatch(/^\p{Lu}/u);
    }
  });

  test.each([
    ["eu-w", "eu-west-1", true],
    ["irel", "eu-west-1", true],
    [" Ireland ", "eu-west-1", true],
    ["frank", "eu-west-1", false],
    ["", "eu-west-1", true],
  ])("%j suggests %s: %s", (typed, region, want) => {
    expect(suggests(region, typed)).toBe(want);
  });
});

describe("a name", () => {
  test.each(["Porto", "Werk Süd – Halle 3", "倉庫", "🏭".repeat(64), "a".repeat(64)])(
    "%j is good",
    (name) => {
      expect(nameFault(name)).toBeNull();
    },
  );

  test.each(["", "   ", "a".repeat(65), "a\nb", "a\u0000", "a\u200bb", "a\u00a0b", "a\u2028b", "\ud800"])(
    "%j is refused",
    (name) => {
      expect(nameFault(name)).toMatch(/^Enter 1 to 64 printable characters, not .*\.$/);
    },
  );
});

describe("profiles", () => {
  test.each([[["default"]], [["0"]], [["a-b-c", "x".repeat(32)]]])("accepts %j", (profiles) => {
    expect(profilesFault(profiles)).toBeNull();
  });

  test.each([[[]], [["-a"]], [["Default"]], [["a_b"]], [["default", "x".repeat(33)]], [[""]]])(
    "%j are refused",
    (profiles) => {
      expect(profilesFault(profiles)).toMatch(/^Enter at least|is not a profile name/);
    },
  );
});

test("has the same patterns as the API's parsers", () => {
  const names = readFileSync(join(import.meta.dirname, "../../../../../lobby/names.py"), "utf8");
  const rules = readFileSync(join(import.meta.dirname, "../../../src/pages/targets/rules.ts"), "utf8");
  for (const rule of ["ACCOUNT", "REGION", "PROFILE"]) {
    const theirs = names.match(new RegExp(`^_${rule} = re\\.compile\\(r"(.+)"\\)$`, "m"))?.[1];
    expect(rules).toContain(`const ${rule} = /^${theirs}$/;`);
  }
});

test("does not add a registered target again, which would rename it", () => {
  expect(faultsOf(GOOD, [{ ...GOOD, name: "Old" }])).toEqual({ region: 'Already registered as "Old".' });
  expect(faultsOf(GOOD, [{ ...GOOD, region: "eu-west-2" }])).toEqual({});
});

test("shows each API error at its field", () => {
  expect(
    ["INVALID_ACCOUNT", "INVALID_REGION", "INVALID_TARGET", "INVALID_NAME", "INVALID_PROFILE"].map(fieldOf),
  ).toEqual(["account", "region", "region", "name", "profiles"]);
  expect(fieldOf("CHANGED_MEANWHILE")).toBeUndefined();
});
