/** Loads the scanner once, on demand, and retries after a lost network. */
import type { Detector } from "./scan_result";

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
