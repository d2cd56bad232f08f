/** Runs work when the page is idle. Safari has no `requestIdleCallback`. */
const DELAY_MS = 2_000;

export function whenIdle(work: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(work);
  else setTimeout(work, DELAY_MS);
}
