/**
 * Reloads a page that was opened offline, or that lacks a file, once the lobby is reachable, which also signs
 * the user in. Waits for unfinished work, because a reload would discard it.
 */
import { useEffect } from "react";

const CHECK_INTERVAL_MS = 5_000;
const TIMEOUT_MS = 8_000;

let blocks = 0;
const waiting = new Set<() => void>();

/** While `busy`, the page is not reloaded automatically. */
export function useReloadBlock(busy: boolean): void {
  useEffect(() => {
    if (!busy) return;
    blocks++;
    return () => {
      blocks--;
      if (blocks === 0) for (const run of waiting) run();
    };
  }, [busy]);
}

/**
 * Calls `run` once the lobby is reachable and nothing blocks a reload. Returns a function that cancels it.
 */
export function onReconnect(run: () => void): () => void {
  let over = false;
  const runOnce = () => {
    if (over) return;
    over = true;
    run();
  };
  const check = async () => {
    if (document.visibilityState !== "visible" || !(await isReachable()) || over) return;
    if (blocks === 0) runOnce();
    else waiting.add(runOnce);
  };
  // A phone can have a network without connectivity, and regain it without an event.
  void check();
  const timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
  const onOnline = () => void check();
  addEventListener("online", onOnline);
  return () => {
    over = true;
    waiting.delete(runOnce);
    clearInterval(timer);
    removeEventListener("online", onOnline);
  };
}

export async function isReachable(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return (await fetch("/sign-in.json", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}
