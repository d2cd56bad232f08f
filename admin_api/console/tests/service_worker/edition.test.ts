/** What is kept, what is answered from it, and what is never touched. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  answerTo,
  type Doors,
  dropOldEditions,
  type Edition,
  keepEdition,
  PATIENCE_MS,
  SHELL,
} from "../../src/service_worker/edition";

const ORIGIN = "https://lobby.test";
const EDITION: Edition = {
  version: "two",
  assets: ["/assets/index-1.js", "/assets/reader-1.wasm"],
  fixed: ["/icon.svg"],
};

/** As browsers have it, by pathname only. */
class FakeCaches {
  readonly shelves = new Map<string, Map<string, Response>>();
  async open(name: string) {
    const shelf = this.shelves.get(name) ?? new Map<string, Response>();
    this.shelves.set(name, shelf);
    return {
      put: async (address: string, answer: Response) => void shelf.set(address, answer),
      match: async (address: string) => shelf.get(address)?.clone(),
    };
  }
  async match(address: string) {
    for (const shelf of this.shelves.values()) {
      const kept = shelf.get(address);
      if (kept) return kept.clone();
    }
    return undefined;
  }
  keys = async () => [...this.shelves.keys()];
  delete = async (name: string) => this.shelves.delete(name);
}

let caches: FakeCaches;
let fetched: string[];
let network: (address: string) => Promise<Response>;
let pauses: { ms: number; over: () => void }[];
let doors: Doors;

beforeEach(() => {
  caches = new FakeCaches();
  fetched = [];
  pauses = [];
  network = async (address) => new Response(`network ${address}`);
  doors = {
    caches: caches as unknown as CacheStorage,
    fetch: async (request) => {
      const address = typeof request === "string" ? request : new URL(request.url).pathname;
      fetched.push(address);
      return network(address);
    },
    pause: (ms) => new Promise((over) => pauses.push({ ms, over })),
    origin: ORIGIN,
  };
});

const LOST = async () => {
  throw new TypeError("Failed to fetch");
};

function request(path: string, { mode = "cors", method = "GET", origin = ORIGIN } = {}): Request {
  return { url: origin + path, mode, method } as Request;
}

async function said(answer: Promise<Response> | null): Promise<string | undefined> {
  return (await answer)?.text();
}

describe("installing", () => {
  test("keeps the page, its files and what has a fixed name", async () => {
    await keepEdition(EDITION, doors);
    expect([...(caches.shelves.get("device-lobby-two")?.keys() ?? [])].sort()).toEqual(
      [...EDITION.assets, ...EDITION.fixed, SHELL].sort(),
    );
  });

  test("takes a hashed file from the edition before, never a page", async () => {
    await keepEdition({ ...EDITION, version: "one" }, doors);
    fetched = [];
    await keepEdition(EDITION, doors);
    expect(fetched.sort()).toEqual([SHELL, "/icon.svg"]);
  });

  test.each([
    ["a page that is not there", async () => new Response("no", { status: 404 })],
    ["a lost network", LOST],
  ])("fails whole on %s, so that the edition before goes on", async (_, answer) => {
    network = answer;
    await expect(keepEdition(EDITION, doors)).rejects.toThrow();
  });

  test("drops all but its own and the one before; another's caches stay", async () => {
    await caches.open("somebody-elses");
    for (const version of ["zero", "one", "two"]) await keepEdition({ ...EDITION, version }, doors);
    await dropOldEditions(doors);
    expect(await caches.keys()).toEqual(["somebody-elses", "device-lobby-one", "device-lobby-two"]);
  });
});

describe("answering", () => {
  beforeEach(() => keepEdition(EDITION, doors));

  test("a page comes from the network where there is one", async () => {
    network = async () => new Response("newer");
    expect(await said(answerTo(request("/devices", { mode: "navigate" }), EDITION, doors))).toBe("newer");
  });

  test.each(["/", "/claim", "/devices", "/devices/abc?x=1"])(
    "%s opens as the kept page without one",
    async (path) => {
      network = LOST;
      expect(await said(answerTo(request(path, { mode: "navigate" }), EDITION, doors))).toBe(
        `network ${SHELL}`,
      );
    },
  );

  test("a network that takes too long for a page is as good as none", async () => {
    network = () => new Promise(() => {});
    const answer = answerTo(request("/claim", { mode: "navigate" }), EDITION, doors);
    await expect.poll(() => pauses.length).toBe(1);
    expect(pauses[0]?.ms).toBe(PATIENCE_MS);
    pauses[0]?.over();
    expect(await said(answer)).toBe(`network ${SHELL}`);
  });

  test("the kept page has its own headers: policy and nonce belong together", async () => {
    caches.shelves.get("device-lobby-two")?.set(
      SHELL,
      new Response('<style nonce="n1">', {
        headers: { "content-security-policy": "style-src 'nonce-n1'" },
      }),
    );
    network = LOST;
    const answer = await answerTo(request("/claim", { mode: "navigate" }), EDITION, doors);
    expect(answer?.headers.get("content-security-policy")).toContain("n1");
  });

  test("a failing server is the network's answer, not hidden", async () => {
    network = async () => new Response("broken", { status: 500 });
    expect((await answerTo(request("/claim", { mode: "navigate" }), EDITION, doors))?.status).toBe(500);
  });

  test("a hashed file comes from what is kept, also of the edition before", async () => {
    await caches.open("device-lobby-one").then((shelf) => shelf.put("/assets/old-0.js", new Response("old")));
    fetched = [];
    expect(await said(answerTo(request("/assets/index-1.js"), EDITION, doors))).toBe(
      "network /assets/index-1.js",
    );
    expect(await said(answerTo(request("/assets/old-0.js"), EDITION, doors))).toBe("old");
    expect(fetched).toEqual([]);
  });

  test("a hashed file that is not kept is fetched", async () => {
    fetched = [];
    expect(await said(answerTo(request("/assets/devices-9.js"), EDITION, doors))).toBe(
      "network /assets/devices-9.js",
    );
    expect(fetched).toEqual(["/assets/devices-9.js"]);
  });

  test("the icon is asked for, and kept for when it cannot be had", async () => {
    network = LOST;
    expect(await said(answerTo(request("/icon.svg"), EDITION, doors))).toBe("network /icon.svg");
  });

  test.each([
    ["the API", request("/graphql", { method: "POST" })],
    ["the API by GET", request("/graphql")],
    ["where to sign in", request("/sign-in.json")],
    ["the worker itself", request("/sw.js")],
    ["another origin", request("/assets/index-1.js", { origin: "https://pool.test" })],
    ["anything that writes", request("/claim", { method: "POST", mode: "navigate" })],
  ])("%s is left to the browser", (_, asked) => {
    expect(answerTo(asked, EDITION, doors)).toBeNull();
  });
});
