/** Loads the scanner once, on demand, and retries after a lost network. */
import type { Detector } from "./scan_result";

type Scanner = typeof import("./detector");
let loading: Promise<Scanner> | undefined;
let labels: Detector | undefined;
let serials: Detector | undefined;

/** Return the detector of device labels. */
export async function loadDetector(): Promise<Detector> {
  const { createDetector } = await load();
  labels ??= createDetector();
  return labels;
}

/** Return the detector of serial numbers. */
export async function loadSerialDetector(): Promise<Detector> {
  const { createSerialDetector } = await load();
  serials ??= createSerialDetector();
  return serials;
}

function load(): Promise<Scanner> {
  loading ??= import("./detector").catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}
