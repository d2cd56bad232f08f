/** Repeats work while the page is visible and the network is available. */
import { useDocumentVisibility, useNetwork } from "@mantine/hooks";
import { useEffect, useRef } from "react";

/**
 * Runs `work` immediately and again `everyMs` after it finishes, when the page becomes visible, and when
 * `key` changes. `isCurrent` returns whether the result may still be shown.
 */
export function usePolling(
  everyMs: number,
  work: (isCurrent: () => boolean) => Promise<void>,
  key: string,
): void {
  const present = useDocumentVisibility() === "visible";
  const { online } = useNetwork();
  const latest = useRef(work);
  useEffect(() => {
    latest.current = work;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new `key` starts the work again.
  useEffect(() => {
    if (!present || !online) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const poll = async () => {
      await latest.current(() => current);
      if (current) timer = setTimeout(poll, everyMs);
    };
    void poll();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [present, online, everyMs, key]);
}
