/**
 * `/sw.js`: lets the claim page open offline. The logic is in `precache.ts`; the build inserts the list of
 * files.
 */
import {
  deleteOldPrecaches,
  fillPrecache,
  type Precache,
  respondTo,
  type WorkerEnvironment,
} from "./precache";

/** Inserted by the build (`build/service_worker.ts`). */
declare const __PRECACHE__: Precache;

/**
 * The used part of a service worker's scope. TypeScript cannot load its types together with those of the
 * page.
 */
interface Scope {
  caches: CacheStorage;
  location: { origin: string };
  skipWaiting: () => Promise<void>;
  addEventListener: {
    (type: "install" | "activate", listener: (event: Lasting) => void): void;
    (type: "fetch", listener: (event: Fetched) => void): void;
  };
}
interface Lasting {
  waitUntil: (work: Promise<unknown>) => void;
}
interface Fetched {
  request: Request;
  respondWith: (answer: Promise<Response>) => void;
}

const scope = self as unknown as Scope;
const environment: WorkerEnvironment = {
  caches: scope.caches,
  fetch: (request, init) => fetch(request, init),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  origin: scope.location.origin,
};

// Activates immediately: pages are served from the network first, so an older open page is not affected.
scope.addEventListener("install", (event) =>
  event.waitUntil(fillPrecache(__PRECACHE__, environment).then(() => scope.skipWaiting())),
);
scope.addEventListener("activate", (event) => event.waitUntil(deleteOldPrecaches(environment)));
scope.addEventListener("fetch", (event) => {
  const answer = respondTo(event.request, __PRECACHE__, environment);
  if (answer) event.respondWith(answer);
});
