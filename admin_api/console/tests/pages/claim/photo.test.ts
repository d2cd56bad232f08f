/** The sizes and rotations in which a photo is scanned. */
import { Blob as FileBlob } from "node:buffer";
import { expect, test, vi } from "vitest";
import { openPhoto, type Photo, readPhoto, type View } from "../../../src/pages/claim/scanner/photo";
import type { Code } from "../../../src/pages/claim/scanner/scan_result";

const A = "aa".repeat(32);
const B = "bb".repeat(32);

async function read(width: number, height: number, shows: (view: View) => string[]) {
  const views: View[] = [];
  const photo: Photo = { width, height, seenAs: (view) => view as unknown as ImageData, close: () => {} };
  const scan = await readPhoto(photo, {
    detect: async (picture) => {
      const view = picture as unknown as View;
      views.push({ side: view.side, turned: view.turned });
      return shows(view).map((rawValue): Code => ({ rawValue, boundingBox: new DOMRect() }));
    },
  });
  return { scan, views };
}

globalThis.DOMRect ??= class {
  x = 0;
  y = 0;
  width = 1;
  height = 1;
} as typeof DOMRect;

test("finds labels of several sizes in one photo", async () => {
  const { scan } = await read(4000, 3000, ({ side }) => (side === 1280 ? [A] : [A, B]));
  expect(scan.labels).toEqual([A, B]);
});

test("scans a small picture once if that finds something", async () => {
  const { scan, views } = await read(600, 400, () => [A]);
  expect(scan.labels).toEqual([A]);
  expect(views).toHaveLength(1);
});

test("tries other sizes and rotations if nothing is found", async () => {
  const { scan, views } = await read(4000, 3000, ({ turned }) => (turned === 45 ? [A] : []));
  expect(scan.labels).toEqual([A]);
  expect(views.at(-1)).toEqual({ side: 1600, turned: 45 });
});

test("stops after all views of an empty photo", async () => {
  const { scan, views } = await read(4000, 3000, () => []);
  expect(scan).toEqual({ labels: [], otherCode: null });
  expect(views).toHaveLength(6);
});

test("reports a code that is not a label, and stops", async () => {
  const { scan, views } = await read(1000, 1000, () => ["https://x.test"]);
  expect(scan.otherCode).toBe('"https://x.test"');
  expect(views).toHaveLength(1);
});

test.each([
  ["a PDF", "%PDF-1.7", "This is a PDF."],
  ["an iPhone's photo", "\0\0\0\x18ftypheic", "can't open HEIC photos"],
  ["another file", "text", "Choose a JPEG or PNG photo."],
])("says what to do with %s", async (_, start, advice) => {
  vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("InvalidStateError")));
  await expect(openPhoto(new FileBlob([start]) as Blob)).rejects.toThrow(advice);
  vi.unstubAllGlobals();
});
