/**
 * Scans a running video frame by frame: one frame at a time, with a pause that keeps the phone cool. Reports
 * new codes until stopped.
 */
import { type Detector, type Memory, newCodes, type ScanResult, scanResultOf } from "./scan_result";

const PAUSE_MS = 100;
/** The number of consecutive unreadable frames that counts as a failure. */
const MAX_FAILURES = 20;

export interface Watched {
  video: HTMLVideoElement;
  detector: Detector;
  onScan: (scan: ScanResult) => void;
  /** No frame can be read; scanning has stopped. */
  onFailure: (error: unknown) => void;
}

/** Frames and time; injected by tests. */
export interface Pace {
  nextFrame: (video: HTMLVideoElement) => Promise<void>;
  pause: (ms: number) => Promise<void>;
  now: () => number;
}

/** Starts scanning and returns a function that stops it. */
export function watch({ video, detector, onScan, onFailure }: Watched, pace: Pace = PACE): () => void {
  let going = true;
  let memory: Memory = new Map();
  let failures = 0;

  async function look(): Promise<void> {
    await pace.nextFrame(video);
    if (!going) return;
    const codes = await detector.detect(video);
    if (!going) return;
    failures = 0;
    const scan = scanResultOf(codes, { x: video.videoWidth / 2, y: video.videoHeight / 2 });
    const scanned = newCodes(memory, scan, pace.now());
    memory = scanned.memory;
    if (scanned.newCodes.labels.length > 0 || scanned.newCodes.otherCode !== null) onScan(scanned.newCodes);
  }

  async function run(): Promise<void> {
    while (going) {
      try {
        await look();
      } catch (error) {
        // A frame can arrive before the video has data or while the camera switches: wait for the next.
        if (++failures >= MAX_FAILURES) {
          going = false;
          onFailure(error);
        }
      }
      await pace.pause(PAUSE_MS);
    }
  }

  void run();
  return () => {
    going = false;
  };
}

const PACE: Pace = {
  nextFrame: (video) =>
    new Promise((resolve) => {
      if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => resolve());
      else setTimeout(resolve, PAUSE_MS);
    }),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now: () => performance.now(),
};
