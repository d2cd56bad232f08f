/**
 * Finds the labels in a photo. Phones take far more pixels than a code needs and than zxing reads in good time, so the
 * photo is looked at in several sizes, and turned where none shows anything. Several labels in one photo are all found.
 */
import { type Code, type Detector, type Sight, sightOf } from "./sight";

/** A file that no browser shows as a picture. */
export class NotAPicture extends Error {}

export interface View {
  /** Pixels of the longer side at most, and degrees clockwise. */
  side: number;
  turned: number;
}

/** A view, and how large a photo has to be for it to show something that the ones before do not. */
type Try = View & { above: number };

/** A small label shows in the larger, a blurred one in the smaller. */
const FIRST: readonly Try[] = [
  { side: 1280, turned: 0, above: 0 },
  { side: 2400, turned: 0, above: 1280 },
];
/** Only while nothing is found. */
const FURTHER: readonly Try[] = [
  { side: 800, turned: 0, above: 800 },
  { side: 4000, turned: 0, above: 2400 },
  { side: 1600, turned: 45, above: 0 },
  { side: 1600, turned: 20, above: 0 },
];

/** One photo, drawn as a view wants it. */
export interface Photo {
  width: number;
  height: number;
  seenAs: (view: View) => ImageBitmapSource;
  close: () => void;
}

/** What `photo` shows. */
export async function readPhoto(photo: Photo, detector: Detector): Promise<Sight> {
  const large = Math.max(photo.width, photo.height);
  const found: Code[] = [];
  for (const view of FIRST)
    if (large > view.above) found.push(...(await detector.detect(photo.seenAs(view))));
  for (const view of FURTHER) {
    if (found.length > 0) break;
    if (large > view.above) found.push(...(await detector.detect(photo.seenAs(view))));
  }
  return sightOf(found);
}

/** Opens a file, upright. Throws `NotAPicture`. */
export async function openPhoto(file: Blob): Promise<Photo> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new NotAPicture("got a file that this browser cannot show, want a photo (JPEG or PNG)");
  }
  const { width, height } = bitmap;
  return { width, height, seenAs: (view) => drawn(bitmap, view), close: () => bitmap.close() };
}

function drawn(bitmap: ImageBitmap, { side, turned }: View): ImageData {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = document.createElement("canvas");
  const diagonal = Math.ceil(Math.hypot(width, height));
  canvas.width = turned === 0 ? width : diagonal;
  canvas.height = turned === 0 ? height : diagonal;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new NotAPicture("got a browser without canvas, want one that draws");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turned * Math.PI) / 180);
  context.drawImage(bitmap, -width / 2, -height / 2, width, height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** What the photo in `file` shows. Throws `NotAPicture`, or what kept the scanner from loading. */
export async function sightIn(file: Blob, loadDetector: () => Promise<Detector>): Promise<Sight> {
  const [photo, detector] = await Promise.all([openPhoto(file), loadDetector()]);
  try {
    return await readPhoto(photo, detector);
  } finally {
    photo.close();
  }
}
