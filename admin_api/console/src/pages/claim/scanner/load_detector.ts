/** The scanner, loaded once, when it is first wanted; after a lost network it is tried again. */
import type { Detector } from "./sight";

let loading: Promise<Detector> | undefined;

export function loadDetector(): Promise<Detector> {
  loading ??= import("./detector").then(
    ({ createDetector }) => createDetector(),
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
