/** Which files count for the claim page's first load, and which are cached for offline use. */
import { describe, expect, test } from "vitest";
import { CLAIM_PAGE, firstLoad, offline, type Piece, USER_MENU } from "../../build/claim_files.ts";

function piece(name: string, has: Partial<Piece> = {}): Piece {
  return { name, begins: null, isEntry: false, imports: [], dynamicImports: [], attached: [], ...has };
}

const CLAIM = piece("claim.js", {
  begins: `/console/${CLAIM_PAGE}`,
  imports: ["index.js", "select.js"],
  dynamicImports: ["scanner.js"],
  attached: ["claim.css"],
});
const BUNDLE = [
  piece("index.js", {
    begins: "/console/index.html",
    isEntry: true,
    imports: ["react.js"],
    dynamicImports: ["claim.js", "devices.js", "menu.js"],
    attached: ["index.css"],
  }),
  piece("sw.js", { begins: "/console/src/service_worker/sw.ts", isEntry: true }),
  piece("react.js"),
  piece("select.js", { imports: ["react.js"] }),
  CLAIM,
  piece("scanner.js", { imports: ["zxing.js", "index.js"], attached: ["reader.wasm"] }),
  piece("zxing.js"),
  piece("menu.js", { begins: `/console/${USER_MENU}`, imports: ["floating.js"] }),
  piece("floating.js"),
  piece("devices.js", { imports: ["table.js"], attached: ["rest.css"] }),
  piece("table.js"),
];

describe("the first load", () => {
  test("contains the index and claim pages with all static imports", () => {
    expect(firstLoad(BUNDLE)).toEqual([
      "claim.css",
      "claim.js",
      "index.css",
      "index.js",
      "react.js",
      "select.js",
    ]);
  });

  test("includes transitive imports", () => {
    const grown = BUNDLE.map((each) =>
      each.name === "select.js" ? { ...each, imports: ["zxing.js"] } : each,
    );
    expect(firstLoad(grown)).toContain("zxing.js");
  });
});

describe("offline", () => {
  test("contains the scanner, its WebAssembly and the user menu, but no other pages", () => {
    const kept = offline(BUNDLE);
    expect(kept).toEqual(expect.arrayContaining(firstLoad(BUNDLE)));
    expect(kept).toEqual(
      expect.arrayContaining(["scanner.js", "zxing.js", "reader.wasm", "menu.js", "floating.js"]),
    );
    expect(kept).not.toEqual(expect.arrayContaining(["devices.js"]));
    expect(kept).not.toContain("table.js");
    expect(kept).not.toContain("sw.js");
    expect(new Set(kept).size).toBe(kept.length);
  });
});

test("fails the build if the claim page was renamed", () => {
  expect(() => firstLoad(BUNDLE.filter((each) => each !== CLAIM))).toThrow(CLAIM_PAGE);
});
