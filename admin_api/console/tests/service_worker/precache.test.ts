/** The service worker's cache: what is stored, what is served, and what is ignored. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  deleteOldPrecaches,
  fillPrecache,
  NETWORK_TIMEOUT_MS,
  type Precache,
  respondTo,
  SHELL,
  type WorkerEnvironment,
} from "../../src/service_worker/precache";

const ORIGIN = "https://lobby.test";
const PRECACHE: Precache = {
  version: "two",
  assets: ["/assets/index-1.js", "/assets/reader-1.wasm"],
  fixed: ["/icon.svg"],
};

/** Like browsers, by path only. */
class FakeCaches {
  readonly stores = new Map<string, Map<string, Response>>();
  async open(name: string) {
    const store = this.stores.get(name) ?? new Map<string, Response>();
    this.stores.set(name, store);
    return {
      put: async (address: string, answer: Response) => void store.set(address, answer),
      match: async (address: string) => store.get(address)?.clone(),
    };
  }
  async match(address: string) {
    for (const store of this.stores.values()) {
      const kept = store.get(address);
      if (kept) return kept.clone();
    }
    return undefined;
  }
  keys = async () => [...this.stores.keys()];
  delete = async (name: string) => this.stores.delete(name);
}

let caches: FakeCaches;
let fetched: string[];
let network: (address: string) => Promise<Response>;
let pauses: { ms: number; over: () => void }[];
let environment: WorkerEnvironment;

beforeEach(() => {
  caches = new FakeCaches();
  fetched = [];
  pauses = [];
  network = async (address) => new Response(`network ${address}`);
  environment = {
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

async function bodyOf(answer: Promise<Response> | null): Promise<string | undefined> {
  return (await answer)?.text();
}

describe("installing", () => {
  test("stores the page, its files and the files with fixed names", async () => {
    await fillPrecache(PRECACHE, environment);
    expect([...(caches.stores.get("device-lobby-two")?.keys() ?? [])].sort()).toEqual(
      [...PRECACHE.assets, ...PRECACHE.fixed, SHELL].sort(),
    );
  });

  test("reuses a hashed file of the previous version, but no page", async () => {
    await fillPrecache({ ...PRECACHE, version: "one" }, environment);
    fetched = [];
    await fillPrecache(PRECACHE, environment);
    expect(fetched.sort()).toEqual([SHELL, "/icon.svg"]);
  });

  test.each([
    ["a missing page", async () => new Response("no", { status: 404 })],
    ["a lost network", LOST],
  ])("fails completely on %s, so that the previous version stays active", async (_, answer) => {
    network = answer;
    await expect(fillPrecache(PRECACHE, environment)).rejects.toThrow();
  });

  test("deletes all but the current and previous versions; other caches stay", async () => {
    await caches.open("other-cache");
    for (const version of ["zero", "one", "two"]) await fillPrecache({ ...PRECACHE, version }, environment);
    await deleteOldPrecaches(environment);
    expect(await caches.keys()).toEqual(["other-cache", "device-lobby-one", "device-lobby-two"]);
  });
});

describe("responding", () => {
  beforeEach(() => fillPrecache(PRECACHE, environment));

  test("serves a page from the network if possible", async () => {
    network = async () => new Response("newer");
    expect(await bodyOf(respondTo(request("/devices", { mode: "navigate" }), PRECACHE, environment))).toBe(
      "newer",
    );
  });

  test.each(["/", "/claim", "/devices", "/devices/abc?x=1"])(
    "%s opens as the kept page without one",
    async (path) => {
      network = LOST;
      expect(await bodyOf(respondTo(request(path, { mode: "navigate" }), PRECACHE, environment))).toBe(
        `network ${SHELL}`,
      );
    },
  );

  test("treats a slow network as offline", async () => {
    network = () => new Promise(() => {});
    const answer = respondTo(request("/claim", { mode: "navigate" }), PRECACHE, environment);
    await expect.poll(() => pauses.length).toBe(1);
    expect(pauses[0]?.ms).toBe(NETWORK_TIMEOUT_MS);
    pauses[0]?.over();
    expect(await bodyOf(answer)).toBe(`network ${SHELL}`);
  });

  test("serves the cached page with its own headers: policy and nonce match", async () => {
    caches.stores.get("device-lobby-two")?.set(
      SHELL,
      new Response('<style nonce="n1">', {
        headers: { "content-security-policy": "style-src 'nonce-n1'" },
      }),
    );
    network = LOST;
    const answer = await respondTo(request("/claim", { mode: "navigate" }), PRECACHE, environment);
    expect(answer?.headers.get("content-security-policy")).toContain("n1");
  });

  test("passes on a server error", async () => {
    network = async () => new Response("broken", { status: 500 });
    expect((await respondTo(request("/claim", { mode: "navigate" }), PRECACHE, environment))?.status).toBe(
      500,
    );
  });

  test("serves a hashed file from the cache, also of the previous version", async () => {
    await caches.open("device-lobby-one").then((store) => store.put("/assets/old-0.js", new Response("old")));
    fetched = [];
    expect(await bodyOf(respondTo(request("/assets/index-1.js"), PRECACHE, environment))).toBe(
      "network /assets/index-1.js",
    );
    expect(await bodyOf(respondTo(request("/assets/old-0.js"), PRECACHE, environment))).toBe("old");
    expect(fetched).toEqual([]);
  });

  test("fetches a hashed file that is not cached", async () => {
    fetched = [];
    expect(await bodyOf(respondTo(request("/assets/devices-9.js"), PRECACHE, environment))).toBe(
      "network /assets/devices-9.js",
    );
    expect(fetched).toEqual(["/assets/devices-9.js"]);
  });

  test("serves the cached icon offline", async () => {
    network = LOST;
    expect(await bodyOf(respondTo(request("/icon.svg"), PRECACHE, environment))).toBe("network /icon.svg");
  });

  test.each([
    ["the API", request("/graphql", { method: "POST" })],
    ["the API by GET", request("/graphql")],
    ["the sign-in document", request("/sign-in.json")],
    ["the worker", request("/sw.js")],
    ["another origin", request("/assets/index-1.js", { origin: "https://pool.test" })],
    ["a POST request", request("/claim", { method: "POST", mode: "navigate" })],
  ])("ignores %s", (_, asked) => {
    expect(respondTo(asked, PRECACHE, environment)).toBeNull();
  });
});
