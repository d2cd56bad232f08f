/**
 * Installs the service worker when the page has nothing more urgent to load, looks now and then whether there is a newer
 * one, and says so: the page then offers to reload. A chunk that a deployment has taken away reloads the page by itself.
 */
import { useSyncExternalStore } from "react";

const ADDRESS = "/sw.js";
const LOOK_AGAIN_MS = 3_600_000;
const UNHURRIED_MS = 2_000;
const RELOADED = "device-lobby.reloaded";

let newer = false;
const listeners = new Set<() => void>();

/** Whether a newer version of the page is there than the one that runs. */
export function useNewer(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => newer,
  );
}

export function registerServiceWorker(): void {
  addEventListener("vite:preloadError", reloadOnce);
  if (!("serviceWorker" in navigator)) return;
  if (document.readyState === "complete") unhurried();
  else addEventListener("load", unhurried, { once: true });
}

function unhurried(): void {
  if ("requestIdleCallback" in window) requestIdleCallback(() => void register());
  else setTimeout(() => void register(), UNHURRIED_MS);
}

async function register(): Promise<void> {
  const workers = navigator.serviceWorker;
  const replaced = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    if (!replaced) return; // the first one: it fits this page
    newer = true;
    for (const listener of listeners) listener();
  });
  try {
    const registration = await workers.register(ADDRESS, { updateViaCache: "none" });
    let looked = Date.now();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible" || Date.now() - looked < LOOK_AGAIN_MS) return;
      looked = Date.now();
      registration.update().catch(() => undefined); // no network: the next time
    });
  } catch (error) {
    console.warn("got no service worker; the page needs a network to open", error);
  }
}

/** Once in a while only: where the file is really gone, reloading would never end. */
function reloadOnce(event: Event): void {
  const before = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - before < 60_000 || !navigator.onLine) return;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  event.preventDefault();
  location.reload();
}
