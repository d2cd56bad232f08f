/**
 * The lobby's clock, measured from the `Date` header of its responses (RFC 9110, section 6.6.1). A phone's
 * clock can be wrong by minutes, while tokens and the times of devices follow the lobby's clock. Differences
 * of up to two seconds are ignored, because a slow network causes them.
 */
import { useSyncExternalStore } from "react";

const IGNORED_MS = 2_000;
/** A slower response is ignored, because it is not known when it was sent. */
const SLOWEST_MS = 10_000;
/** From this difference on, the user sees a warning. */
export const NOTICED_MS = 60_000;

export class ServerClock {
  /** The lobby's time minus this device's. */
  #skewMs = 0;
  readonly #listeners = new Set<() => void>();

  /** Measure from a response that was requested at `sentAt` and arrived at `arrivedAt`, by this device's clock. */
  observe(headers: Headers, sentAt: number, arrivedAt: number): void {
    const date = Date.parse(headers.get("date") ?? "");
    const tookMs = arrivedAt - sentAt;
    if (Number.isNaN(date) || headers.has("age") || tookMs < 0 || tookMs > SLOWEST_MS) return;
    // The header has no fractions of a second, and the response was created about halfway through the
    // request.
    const measured = date + 500 - (sentAt + tookMs / 2);
    const tolerance = IGNORED_MS + tookMs / 2;
    if (Math.abs(measured - this.#skewMs) <= tolerance) return;
    this.#skewMs = Math.abs(measured) <= tolerance ? 0 : Math.round(measured);
    for (const listener of this.#listeners) listener();
  }

  /**
   * The milliseconds by which the lobby's clock is ahead of this device's; negative if it is behind, 0
   * before the first response.
   */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** The lobby's time in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#skewMs;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export const serverClock = new ServerClock();

/** `fetch` from the lobby itself, which measures its clock. */
export async function timedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const sentAt = Date.now();
  const response = await fetch(input, init);
  serverClock.observe(response.headers, sentAt, Date.now());
  return response;
}

export function useSkew(): number {
  return useSyncExternalStore(serverClock.subscribe, () => serverClock.skewMs);
}
