/** Scanning camera frames, with a fake detector and clock. */
import { expect, test } from "vitest";
import type { Code, Detector, ScanResult } from "../../../src/pages/claim/scanner/scan_result";
import { watch } from "../../../src/pages/claim/scanner/watch";

const A = "aa".repeat(32);
const VIDEO = { videoWidth: 1280, videoHeight: 720 } as HTMLVideoElement;
const LABEL: Code = { rawValue: A, boundingBox: { x: 0, y: 0, width: 1, height: 1 } };

/** Frames are read as fast as possible; the clock advances 100 ms per frame. */
function staged(detect: (frame: number) => Promise<Code[]>, frames: number) {
  const seen: ScanResult[] = [];
  const failures: unknown[] = [];
  let frame = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  const detector: Detector = {
    detect: async () => {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      try {
        return await detect(frame);
      } finally {
        atOnce--;
      }
    },
  };
  let over: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    over = resolve;
  });
  const stop = watch(
    {
      video: VIDEO,
      detector,
      onScan: (scan) => seen.push(scan),
      onFailure: (error) => failures.push(error),
    },
    {
      nextFrame: async () => {
        if (++frame > frames) stop();
      },
      pause: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        if (frame > frames || failures.length > 0) over();
      },
      now: () => frame * 100,
    },
  );
  return { seen, failures, end, stop, mostAtOnce: () => mostAtOnce, frames: () => frame };
}

test("reports a label once, and reads one frame at a time", async () => {
  const stage = staged(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return [LABEL];
  }, 15);
  await stage.end;
  expect(stage.seen).toEqual([{ labels: [A], otherCode: null }]);
  expect(stage.mostAtOnce()).toBe(1);
});

test("skips unreadable frames", async () => {
  const stage = staged(async (frame) => {
    if (frame < 10) throw new DOMException("no data yet", "InvalidStateError");
    return [LABEL];
  }, 15);
  await stage.end;
  expect(stage.seen).toHaveLength(1);
  expect(stage.failures).toEqual([]);
});

test("reports a scanner that never reads once, and stops", async () => {
  const broken = new Error("no wasm");
  const stage = staged(async () => {
    throw broken;
  }, 1000);
  await stage.end;
  expect(stage.failures).toEqual([broken]);
  expect(stage.frames()).toBeLessThan(100);
});

test("reports nothing after it was stopped during a frame", async () => {
  const stage = staged(async () => {
    stage.stop();
    return [LABEL];
  }, 3);
  await new Promise((resolve) => setTimeout(resolve));
  expect(stage.seen).toEqual([]);
});
