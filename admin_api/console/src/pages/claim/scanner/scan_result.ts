/**
 * Classifies the codes in a picture as device labels or other codes, and reports only new ones: a label stays
 * in the picture long after it was read. Pure.
 */
import { decodeLabel, LabelError, shown } from "../../../label/label";

export interface Point {
  x: number;
  y: number;
}

/** As the web's BarcodeDetector returns it. */
export interface Code {
  rawValue: string;
  boundingBox: { x: number; y: number; width: number; height: number };
}

export interface Detector {
  detect: (picture: ImageBitmapSource) => Promise<readonly Code[]>;
}

export interface ScanResult {
  /** Fingerprints; in a video, the one nearest to the centre comes first. */
  labels: readonly string[];
  /** The quoted content of a code that is not a label; null if there is none. */
  otherCode: string | null;
}

/** Classify codes, ordered by distance from `middle` if given. */
export function scanResultOf(codes: readonly Code[], middle?: Point): ScanResult {
  const nearest = middle ? [...codes].sort((a, b) => distance(a, middle) - distance(b, middle)) : codes;
  const labels = new Set<string>();
  let otherCode: string | null = null;
  for (const { rawValue } of nearest) {
    const certid = labelOf(rawValue);
    if (certid) labels.add(certid);
    else otherCode ??= shown(rawValue);
  }
  return { labels: [...labels], otherCode };
}

function labelOf(text: string): string | null {
  try {
    return decodeLabel(text);
  } catch (error) {
    if (error instanceof LabelError) return null;
    throw error;
  }
}

function distance({ boundingBox: { x, y, width, height } }: Code, middle: Point): number {
  return Math.hypot(x + width / 2 - middle.x, y + height / 2 - middle.y);
}

/** A code that was out of the picture for this long is reported again. */
export const FORGOTTEN_AFTER_MS = 2_000;

/** When each code was last in the picture. */
export type Memory = ReadonlyMap<string, number>;

/** Return the codes in `scan` that were not in the picture just before, and the updated memory. */
export function newCodes(
  memory: Memory,
  scan: ScanResult,
  now: number,
): { newCodes: ScanResult; memory: Memory } {
  const fresh = (text: string) => now - (memory.get(text) ?? Number.NEGATIVE_INFINITY) > FORGOTTEN_AFTER_MS;
  const scanned = [...scan.labels, ...(scan.otherCode === null ? [] : [scan.otherCode])];
  const recent = [...memory].filter(([, at]) => now - at <= FORGOTTEN_AFTER_MS);
  return {
    newCodes: {
      labels: scan.labels.filter(fresh),
      otherCode: scan.otherCode !== null && fresh(scan.otherCode) ? scan.otherCode : null,
    },
    memory: new Map([...recent, ...scanned.map((text) => [text, now] as const)]),
  };
}
