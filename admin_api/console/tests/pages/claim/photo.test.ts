/** In which sizes and turns a photo is looked at. */
import { expect, test } from "vitest";
import { type Photo, readPhoto, type View } from "../../../src/pages/claim/scanner/photo";
import type { Code } from "../../../src/pages/claim/scanner/sight";

const A = "aa".repeat(32);
const B = "bb".repeat(32);

async function read(width: number, height: number, shows: (view: View) => string[]) {
  const views: View[] = [];
  const photo: Photo = { width, height, seenAs: (view) => view as unknown as ImageData, close: () => {} };
  const sight = await readPhoto(photo, {
    detect: async (picture) => {
      const view = picture as unknown as View;
      views.push({ side: view.side, turned: view.turned });
      return shows(view).map((rawValue): Code => ({ rawValue, boundingBox: new DOMRect() }));
    },
  });
  return { sight, views };
}

globalThis.DOMRect ??= class {
  x = 0;
  y = 0;
  width = 1;
  height = 1;
} as typeof DOMRect;

test("labels of several sizes in one photo are all found", async () => {
  const { sight } = await read(4000, 3000, ({ side }) => (side === 1280 ? [A] : [A, B]));
  expect(sight.labels).toEqual([A, B]);
});

test("a small picture is looked at once where that shows something", async () => {
  const { sight, views } = await read(600, 400, () => [A]);
  expect(sight.labels).toEqual([A]);
  expect(views).toHaveLength(1);
});

test("where nothing shows, other sizes and turns are tried", async () => {
  const { sight, views } = await read(4000, 3000, ({ turned }) => (turned === 45 ? [A] : []));
  expect(sight.labels).toEqual([A]);
  expect(views.at(-1)).toEqual({ side: 1600, turned: 45 });
});

test("a photo of nothing is given up after all of them", async () => {
  const { sight, views } = await read(4000, 3000, () => []);
  expect(sight).toEqual({ labels: [], stranger: null });
  expect(views).toHaveLength(6);
});

test("a code that is no label is said, and not looked for further", async () => {
  const { sight, views } = await read(1000, 1000, () => ["https://x.test"]);
  expect(sight.stranger).toBe('"https://x.test"');
  expect(views).toHaveLength(1);
});
