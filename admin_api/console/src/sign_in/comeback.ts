/**
 * The way back from a page that was opened without a network: when the lobby answers again, the page is loaded anew, and
 * with it the sign-in. What somebody has in hand is finished first, since loading would lose it.
 */
import { useEffect } from "react";

const LOOK_AGAIN_MS = 20_000;
const PATIENCE_MS = 8_000;

let inHand = 0;
const waiting = new Set<() => void>();

/** While `busy`, the page is not loaded anew by itself. */
export function useInHand(busy: boolean): void {
  useEffect(() => {
    if (!busy) return;
    inHand++;
    return () => {
      inHand--;
      if (inHand === 0) for (const go of waiting) go();
    };
  }, [busy]);
}

/** Calls `go` once the lobby answers and nothing is in hand. What it gives ends the waiting. */
export function onComeback(go: () => void): () => void {
  let over = false;
  const goNow = () => {
    if (!over) go();
  };
  const look = async () => {
    if (document.visibilityState !== "visible" || !(await answers()) || over) return;
    if (inHand === 0) goNow();
    else waiting.add(goNow);
  };
  // A phone may have a network that leads nowhere, and then one that does, without any event.
  const timer = setInterval(() => void look(), LOOK_AGAIN_MS);
  const onOnline = () => void look();
  addEventListener("online", onOnline);
  return () => {
    over = true;
    waiting.delete(goNow);
    clearInterval(timer);
    removeEventListener("online", onOnline);
  };
}

async function answers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return (await fetch("/sign-in.json", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}
