/** A clock for the tests of pages that look again and again. */
import { act } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

/** Time that passes when a test says so; jsdom takes long to tell roles on a busy machine. */
export function stopClock(): void {
  vi.setConfig({ testTimeout: 30_000 });
  beforeEach(() => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
