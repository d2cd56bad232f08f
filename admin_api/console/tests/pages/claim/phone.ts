/**
 * A fake phone: a camera that shows what the test puts in front of it, empty storage, and locks for one tab.
 */
import "fake-indexeddb/auto";
import { vi } from "vitest";
import { claimQueue } from "../../../src/pages/claim/queue/use_claims";
import type { Code } from "../../../src/pages/claim/scanner/scan_result";

/** What the scanner reads from the next pictures. */
let visibleCodes: readonly string[] = [];

export function showToCamera(...texts: string[]): void {
  visibleCodes = texts;
}

/** For `vi.mock` of the scanner, which is WebAssembly in a browser. */
export function fakeDetector() {
  const createDetector = () => ({
    detect: async (): Promise<readonly Code[]> =>
      visibleCodes.map((rawValue, index) => ({
        rawValue,
        boundingBox: { x: 100 * index, y: 0, width: 10, height: 10 },
      })),
  });
  return { createDetector, createSerialDetector: createDetector };
}

interface Phone {
  /** The name of the DOMException that the camera fails with. */
  cameraFails?: string;
  torch?: boolean;
}

/** Returns the camera's track, to check whether it was stopped and lit. */
export async function resetPhone({ cameraFails, torch = false }: Phone = {}) {
  localStorage.clear();
  for (const { id } of claimQueue.claims().entries) await claimQueue.remove(id);
  await claimQueue.load();
  showToCamera();
  const track = Object.assign(new EventTarget(), {
    stop: vi.fn(),
    getCapabilities: () => ({ torch }),
    applyConstraints: vi.fn(async () => {}),
  });
  const stream = { getTracks: () => [track], getVideoTracks: () => [track] };
  const getUserMedia = vi.fn(async () => {
    if (cameraFails) throw new DOMException("no", cameraFails);
    return stream;
  });
  let turn: Promise<unknown> = Promise.resolve();
  const locks = {
    request: (_: string, ...rest: unknown[]) => {
      const mine = turn.then(() => (rest.at(-1) as () => unknown)());
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
  Object.assign(navigator, { mediaDevices: { getUserMedia }, locks, vibrate: vi.fn() });
  vi.spyOn(HTMLMediaElement.prototype, "play").mockImplementation(async function (this: HTMLMediaElement) {
    this.dispatchEvent(new Event("playing"));
  });
  vi.spyOn(HTMLMediaElement.prototype, "pause").mockImplementation(() => {});
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    configurable: true,
    set(this: HTMLMediaElement) {
      queueMicrotask(() => this.dispatchEvent(new Event("playing")));
    },
  });
  return { track, getUserMedia };
}

/** Sets `navigator.onLine` and dispatches the event. */
export function network(online: boolean): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(online);
  window.dispatchEvent(new Event(online ? "online" : "offline"));
}
