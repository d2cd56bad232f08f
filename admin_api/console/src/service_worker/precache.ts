/**
 * Caching by the service worker. A precache holds one build's page, the claim page with its scanner, and the
 * icon. It is installed completely or not at all, so that page and scripts match, and so do the page's nonce
 * and the policy in its headers. Only pages and files are served, never the API.
 */
export interface Precache {
  version: string;
  /** The paths of hashed files. */
  assets: readonly string[];
  /** The paths of files with fixed names. */
  fixed: readonly string[];
}

/** The page that is served offline for every address. */
export const SHELL = "/claim";
const PREFIX = "device-lobby-";
/** A page of the previous version may still be open and load its remaining files. */
const VERSIONS_KEPT = 2;
/** A slower network counts as offline. */
export const NETWORK_TIMEOUT_MS = 5_000;

export interface WorkerEnvironment {
  caches: CacheStorage;
  fetch: (request: RequestInfo, init?: RequestInit) => Promise<Response>;
  pause: (ms: number) => Promise<void>;
  /** Our own origin, such as `https://lobby.example`. */
  origin: string;
}

/** Stores all files of `precache`, or throws; then the previous version stays active. */
export async function fillPrecache(precache: Precache, { caches, fetch }: WorkerEnvironment): Promise<void> {
  const cache = await caches.open(PREFIX + precache.version);
  const store = async (address: string, from: Promise<Response>) => {
    const answer = await from;
    if (!answer.ok || answer.redirected)
      throw new Error(
        `got ${answer.status} for ${address}${answer.redirected ? ", redirected" : ""}, want 200`,
      );
    await cache.put(address, answer);
  };
  await Promise.all([
    // A hashed file's name identifies its content: a cached copy need not be fetched.
    ...precache.assets.map((address) => store(address, cachedOrFetched(address, { caches, fetch }))),
    ...[SHELL, ...precache.fixed].map((address) => store(address, fetch(address, { cache: "reload" }))),
  ]);
}

async function cachedOrFetched(
  address: string,
  { caches, fetch }: Pick<WorkerEnvironment, "caches" | "fetch">,
): Promise<Response> {
  return (await caches.match(address, { ignoreVary: true })) ?? fetch(address);
}

/** Deletes all but the newest versions. */
export async function deleteOldPrecaches({ caches }: Pick<WorkerEnvironment, "caches">): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(names.slice(0, -VERSIONS_KEPT).map((name) => caches.delete(name)));
}

/** Return the response to a request, or null to leave it to the browser. */
export function respondTo(
  request: Request,
  precache: Precache,
  environment: WorkerEnvironment,
): Promise<Response> | null {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== environment.origin) return null;
  if (request.mode === "navigate") return networkFirst(request, SHELL, precache, environment);
  if (precache.fixed.includes(pathname)) return networkFirst(request, pathname, precache, environment);
  if (pathname.startsWith("/assets/")) return cachedOrFetched(pathname, environment);
  return null;
}

/** The network's response in time, otherwise the cached one; if there is neither, the network's error. */
async function networkFirst(
  request: Request,
  path: string,
  { version }: Precache,
  { caches, fetch, pause }: WorkerEnvironment,
): Promise<Response> {
  const cache = await caches.open(PREFIX + version);
  const fallback = await cache.match(path, { ignoreVary: true });
  const answer = fetch(request);
  if (!fallback) return answer;
  const inTime = await Promise.race([answer.catch(() => null), pause(NETWORK_TIMEOUT_MS).then(() => null)]);
  return inTime ?? fallback;
}
