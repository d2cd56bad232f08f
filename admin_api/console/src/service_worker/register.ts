/**
 * Registers the service worker when the page is idle, checks for updates, and reports when a new version is
 * available.
 */
import { useSyncExternalStore } from "react";
import { whenIdle } from "../parts/idle";

const ADDRESS = "/sw.js";
const UPDATE_INTERVAL_MS = 3_600_000;

let updateAvailable = false;
const listeners = new Set<() => void>();

/** Whether a newer version than the running one is available. */
export function useUpdateAvailable(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => updateAvailable,
  );
}

export function registerServiceWorker(): void {
  if (!("serviceWorker" in navigator)) return;
  if (document.readyState === "complete") registerWhenIdle();
  else addEventListener("load", registerWhenIdle, { once: true });
}

function registerWhenIdle(): void {
  whenIdle(() => void register());
}

async function register(): Promise<void> {
  const workers = navigator.serviceWorker;
  const replaced = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    if (!replaced) return; // the first installation matches this page
    updateAvailable = true;
    for (const listener of listeners) listener();
  });
  try {
    const registration = await workers.register(ADDRESS, { updateViaCache: "none" });
    let checkedAt = Date.now();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible" || Date.now() - checkedAt < UPDATE_INTERVAL_MS) return;
      checkedAt = Date.now();
      registration.update().catch(() => undefined); // offline: next time
    });
  } catch (error) {
    console.warn("got no service worker; the page needs a network to open", error);
  }
}
