/** `/sw.js`: lets the claim page open without a network. What it does is in `edition`; the build says what to keep. */
import { answerTo, type Doors, dropOldEditions, type Edition, keepEdition } from "./edition";

/** Put in by the build (`build/service_worker.ts`). */
declare const __EDITION__: Edition;

/** What of a service worker's scope is used; TypeScript cannot have its types beside the page's. */
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
const doors: Doors = {
  caches: scope.caches,
  fetch: (request, init) => fetch(request, init),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  origin: scope.location.origin,
};

// At once: pages come from the network first, so an open one that is older loses nothing by a newer worker.
scope.addEventListener("install", (event) =>
  event.waitUntil(keepEdition(__EDITION__, doors).then(() => scope.skipWaiting())),
);
scope.addEventListener("activate", (event) => event.waitUntil(dropOldEditions(doors)));
scope.addEventListener("fetch", (event) => {
  const answer = answerTo(event.request, __EDITION__, doors);
  if (answer) event.respondWith(answer);
});
