/**
 * What the codes in a picture are to us: labels of devices, or strangers, and whether there is anything new to say about
 * them: a label stays in the picture long after it was read. Pure.
 */
import { decodeLabel, LabelError, shown } from "../../../label/label";

export interface Point {
  x: number;
  y: number;
}

/** As the web's BarcodeDetector gives it. */
export interface Code {
  rawValue: string;
  boundingBox: { x: number; y: number; width: number; height: number };
}

export interface Detector {
  detect: (picture: ImageBitmapSource) => Promise<readonly Code[]>;
}

export interface Sight {
  /** Fingerprints; in a video the one nearest to the middle first: that is where people aim. */
  labels: readonly string[];
  /** What a code that is no label says, for a person; null where there is none. */
  stranger: string | null;
}

/** Sorts out what was found: around `middle`, where one is given. */
export function sightOf(codes: readonly Code[], middle?: Point): Sight {
  const nearest = middle ? [...codes].sort((a, b) => distance(a, middle) - distance(b, middle)) : codes;
  const labels = new Set<string>();
  let stranger: string | null = null;
  for (const { rawValue } of nearest) {
    const certid = labelOf(rawValue);
    if (certid) labels.add(certid);
    else stranger ??= shown(rawValue);
  }
  return { labels: [...labels], stranger };
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

/** A code that was out of the picture for this long is news again. */
export const FORGOTTEN_AFTER_MS = 2_000;

/** When each code was last in the picture. */
export type Memory = ReadonlyMap<string, number>;

/** What in `sight` was not in the picture just before; and what to remember of it. */
export function news(memory: Memory, sight: Sight, now: number): { news: Sight; memory: Memory } {
  const fresh = (text: string) => now - (memory.get(text) ?? Number.NEGATIVE_INFINITY) > FORGOTTEN_AFTER_MS;
  const seen = [...sight.labels, ...(sight.stranger === null ? [] : [sight.stranger])];
  const kept = [...memory].filter(([, at]) => now - at <= FORGOTTEN_AFTER_MS);
  return {
    news: {
      labels: sight.labels.filter(fresh),
      stranger: sight.stranger !== null && fresh(sight.stranger) ? sight.stranger : null,
    },
    memory: new Map([...kept, ...seen.map((text) => [text, now] as const)]),
  };
}
