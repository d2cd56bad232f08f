/**
 * Looks for codes in a running video, one frame after the other: never two at once, and not more often than a phone
 * stays cool with. Says each time what is new; goes on until it is stopped.
 */
import { type Detector, type Memory, news, type Sight, sightOf } from "./sight";

const PAUSE_MS = 100;
/** Frames in a row that cannot be read at all before something must be wrong. */
const MAX_FAILURES = 20;

export interface Watched {
  video: HTMLVideoElement;
  detector: Detector;
  onNews: (sight: Sight) => void;
  /** No frame can be read. It has stopped then. */
  onFailure: (error: unknown) => void;
}

/** The frame to come, and the time; handed in by tests. */
export interface Pace {
  nextFrame: (video: HTMLVideoElement) => Promise<void>;
  pause: (ms: number) => Promise<void>;
  now: () => number;
}

/** Starts; what it gives stops it. */
export function watch({ video, detector, onNews, onFailure }: Watched, pace: Pace = PACE): () => void {
  let going = true;
  let memory: Memory = new Map();
  let failures = 0;

  async function look(): Promise<void> {
    await pace.nextFrame(video);
    if (!going) return;
    const codes = await detector.detect(video);
    if (!going) return;
    failures = 0;
    const sight = sightOf(codes, { x: video.videoWidth / 2, y: video.videoHeight / 2 });
    const seen = news(memory, sight, pace.now());
    memory = seen.memory;
    if (seen.news.labels.length > 0 || seen.news.stranger !== null) onNews(seen.news);
  }

  async function run(): Promise<void> {
    while (going) {
      try {
        await look();
      } catch (error) {
        // A frame may come before the video has any, or while the camera turns: the next one will do.
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
