/** Work that is done again and again while somebody looks: never while the page is hidden or without a network. */
import { useDocumentVisibility, useNetwork } from "@mantine/hooks";
import { useEffect, useRef } from "react";

/**
 * `work` at once, and again `everyMs` after it has ended; at once, too, when the page comes back into view, and when
 * `about` changes. `isCurrent` says whether what was found may still be shown.
 */
export function useEvery(
  everyMs: number,
  work: (isCurrent: () => boolean) => Promise<void>,
  about: string,
): void {
  const present = useDocumentVisibility() === "visible";
  const { online } = useNetwork();
  const latest = useRef(work);
  useEffect(() => {
    latest.current = work;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: what `about` stands for, the latest work knows.
  useEffect(() => {
    if (!present || !online) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      await latest.current(() => current);
      if (current) timer = setTimeout(turn, everyMs);
    };
    void turn();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [present, online, everyMs, about]);
}
