/** A fake clock for tests of polling pages. */
import { act } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

/** Time passes when the test advances it. jsdom computes roles slowly on a busy machine. */
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
