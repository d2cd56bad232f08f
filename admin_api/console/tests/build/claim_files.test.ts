/** Which files count for the claim page's first load, and which are cached for offline use. */
import { describe, expect, test } from "vitest";
import { type Chunk, CLAIM_PAGE, firstLoad, offline, USER_MENU } from "../../build/claim_files.ts";

function chunk(name: string, has: Partial<Chunk> = {}): Chunk {
  return { name, entryModule: null, isEntry: false, imports: [], dynamicImports: [], assets: [], ...has };
}

const CLAIM = chunk("claim.js", {
  entryModule: `/console/${CLAIM_PAGE}`,
  imports: ["index.js", "select.js"],
  dynamicImports: ["scanner.js"],
  assets: ["claim.css"],
});
const BUNDLE = [
  chunk("index.js", {
    entryModule: "/console/index.html",
    isEntry: true,
    imports: ["react.js"],
    dynamicImports: ["claim.js", "devices.js", "menu.js"],
    assets: ["index.css"],
  }),
  chunk("sw.js", { entryModule: "/console/src/service_worker/sw.ts", isEntry: true }),
  chunk("react.js"),
  chunk("select.js", { imports: ["react.js"] }),
  CLAIM,
  chunk("scanner.js", { imports: ["zxing.js", "index.js"], assets: ["reader.wasm"] }),
  chunk("zxing.js"),
  chunk("menu.js", { entryModule: `/console/${USER_MENU}`, imports: ["floating.js"] }),
  chunk("floating.js"),
  chunk("devices.js", { imports: ["table.js"], assets: ["rest.css"] }),
  chunk("table.js"),
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
