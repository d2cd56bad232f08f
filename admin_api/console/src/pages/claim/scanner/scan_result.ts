/**
 * Classifies the codes in a picture as device labels, serial numbers or other codes, and reports only new ones:
 * a label stays in the picture long after it was read. Pure.
 */
import { decodeScanned, LabelError, PREFIX, shown } from "../../../label/codec";

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
  /** The content of that code, if a device can have it as its serial number. */
  serial?: string;
}

/** The characters of a thing name (`lobby/names.py`), which a serial number becomes. */
const SERIAL = /^[a-zA-Z0-9:_-]{1,128}$/;
const FINGERPRINT = /^(?:[0-9a-f]{2}:?){20,}$/i;

/** Return the serial number in a code, or null. A damaged label, or a fingerprint that is cut off, is none. */
export function serialOf(text: string): string | null {
  const serial = text.trim();
  const isLabel = serial.toUpperCase().startsWith(PREFIX) || FINGERPRINT.test(serial);
  return SERIAL.test(serial) && !isLabel ? serial : null;
}

/** Classify codes, ordered by distance from `middle` if given. */
export function scanResultOf(codes: readonly Code[], middle?: Point): ScanResult {
  const nearest = middle ? [...codes].sort((a, b) => distance(a, middle) - distance(b, middle)) : codes;
  const labels = new Set<string>();
  let other: string | null = null;
  for (const { rawValue } of nearest) {
    const certid = labelOf(rawValue);
    if (certid) labels.add(certid);
    else other ??= rawValue;
  }
  const serial = other === null ? null : serialOf(other);
  const otherCode = other === null ? null : shown(other);
  return { labels: [...labels], otherCode, ...(serial === null ? {} : { serial }) };
}

function labelOf(text: string): string | null {
  try {
    return decodeScanned(text);
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
  const labels = scan.labels.filter(fresh);
  const isNew = scan.otherCode !== null && fresh(scan.otherCode);
  return {
    newCodes: isNew ? { ...scan, labels } : { labels, otherCode: null },
    memory: new Map([...recent, ...scanned.map((text) => [text, now] as const)]),
  };
}
