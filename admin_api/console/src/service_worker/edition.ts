/**
 * What the service worker keeps and answers. An edition is one build's shell, the claim page with its scanner, and the
 * icon: kept whole when it is installed, so that page and scripts always fit each other, and so do the page's nonce and the
 * policy in its headers, which are one answer. Only pages and files are ever answered: nothing of the API.
 */
export interface Edition {
  version: string;
  /** Addresses of the hashed files. */
  assets: readonly string[];
  /** Addresses that keep their name. */
  fixed: readonly string[];
}

/** The page that opens without a network, whatever address was asked for: without a session all lead to it. */
export const SHELL = "/claim";
const PREFIX = "device-lobby-";
/** A page of the edition before may still be open, and has yet to load the rest of it. */
const EDITIONS_KEPT = 2;
/** A network that takes longer for a page is as good as none. */
export const PATIENCE_MS = 5_000;

export interface Doors {
  caches: CacheStorage;
  fetch: (request: RequestInfo, init?: RequestInit) => Promise<Response>;
  pause: (ms: number) => Promise<void>;
  /** Ours, as in `https://lobby.example`. */
  origin: string;
}

/** Keeps all of `edition`, or throws: then the one before goes on. */
export async function keepEdition(edition: Edition, { caches, fetch }: Doors): Promise<void> {
  const cache = await caches.open(PREFIX + edition.version);
  const keep = async (address: string, from: Promise<Response>) => {
    const answer = await from;
    if (!answer.ok || answer.redirected)
      throw new Error(
        `got ${answer.status} for ${address}${answer.redirected ? ", redirected" : ""}, want 200`,
      );
    await cache.put(address, answer);
  };
  await Promise.all([
    // The name of a hashed file says what is in it: one that is at hand need not be fetched.
    ...edition.assets.map((address) => keep(address, atHand(address, { caches, fetch }))),
    ...[SHELL, ...edition.fixed].map((address) => keep(address, fetch(address, { cache: "reload" }))),
  ]);
}

async function atHand(
  address: string,
  { caches, fetch }: Pick<Doors, "caches" | "fetch">,
): Promise<Response> {
  return (await caches.match(address, { ignoreVary: true })) ?? fetch(address);
}

/** Drops all but the newest editions. */
export async function dropOldEditions({ caches }: Pick<Doors, "caches">): Promise<void> {
  const kept = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(kept.slice(0, -EDITIONS_KEPT).map((name) => caches.delete(name)));
}

/** The answer to a request, or null: the browser's own business then. */
export function answerTo(request: Request, edition: Edition, doors: Doors): Promise<Response> | null {
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== doors.origin) return null;
  if (request.mode === "navigate") return networkFirst(request, SHELL, edition, doors);
  if (edition.fixed.includes(pathname)) return networkFirst(request, pathname, edition, doors);
  if (pathname.startsWith("/assets/")) return atHand(pathname, doors);
  return null;
}

/** What the network says in good time, else what is kept. Where neither is, the network's own failure. */
async function networkFirst(
  request: Request,
  kept: string,
  { version }: Edition,
  { caches, fetch, pause }: Doors,
): Promise<Response> {
  const cache = await caches.open(PREFIX + version);
  const fallback = await cache.match(kept, { ignoreVary: true });
  const answer = fetch(request);
  if (!fallback) return answer;
  const inTime = await Promise.race([answer.catch(() => null), pause(PATIENCE_MS).then(() => null)]);
  return inTime ?? fallback;
}
