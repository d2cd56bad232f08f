/**
 * Finds labels in a photo. Photos have far more pixels than a code needs and than zxing reads quickly, so the
 * photo is scanned in several sizes, and rotated if no code is found. Finds several labels in one photo.
 */
import { type Code, type Detector, type ScanResult, scanResultOf } from "./scan_result";

/** The browser cannot display the file as a picture. */
export class NotAPicture extends Error {}

export interface View {
  /** The maximum length of the longer side in pixels, and clockwise degrees. */
  side: number;
  turned: number;
}

/** A view, and the minimum photo size for which it adds detail to the previous views. */
type Try = View & { above: number };

/** Larger views show small labels, smaller views show blurred ones. */
const FIRST: readonly Try[] = [
  { side: 1280, turned: 0, above: 0 },
  { side: 2400, turned: 0, above: 1280 },
];
/** Only while no code is found. */
const FURTHER: readonly Try[] = [
  { side: 800, turned: 0, above: 800 },
  { side: 4000, turned: 0, above: 2400 },
  { side: 1600, turned: 45, above: 0 },
  { side: 1600, turned: 20, above: 0 },
];

/** A photo that can be drawn as a view. */
export interface Photo {
  width: number;
  height: number;
  seenAs: (view: View) => ImageBitmapSource;
  close: () => void;
}

/** Scan `photo`. */
export async function readPhoto(photo: Photo, detector: Detector): Promise<ScanResult> {
  const large = Math.max(photo.width, photo.height);
  const codes: Code[] = [];
  for (const view of FIRST)
    if (large > view.above) codes.push(...(await detector.detect(photo.seenAs(view))));
  for (const view of FURTHER) {
    if (codes.length > 0) break;
    if (large > view.above) codes.push(...(await detector.detect(photo.seenAs(view))));
  }
  return scanResultOf(codes);
}

/** Open a file in upright orientation. Throws `NotAPicture`. */
export async function openPhoto(file: Blob): Promise<Photo> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new NotAPicture(await adviceFor(file));
  }
  const { width, height } = bitmap;
  return { width, height, seenAs: (view) => drawn(bitmap, view), close: () => bitmap.close() };
}

/** Advice for a file that the browser cannot open, by the first bytes of the file. */
async function adviceFor(file: Blob): Promise<string> {
  const start = new TextDecoder("latin1").decode(await file.slice(0, 32).arrayBuffer());
  if (start.startsWith("%PDF"))
    return "This is a PDF. Open it, and scan the labels on the screen, or save the page as a picture.";
  if (/^....ftyp(hei|hev|mif|msf|avi)/s.test(start))
    return "This browser can't open HEIC photos. Scan with the camera, or save the photo as JPEG (iPhone: Settings, Camera, Formats, Most Compatible).";
  return "This browser can't open the file. Choose a JPEG or PNG photo.";
}

function drawn(bitmap: ImageBitmap, { side, turned }: View): ImageData {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const canvas = document.createElement("canvas");
  const diagonal = Math.ceil(Math.hypot(width, height));
  canvas.width = turned === 0 ? width : diagonal;
  canvas.height = turned === 0 ? height : diagonal;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new NotAPicture("This browser has no canvas support.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turned * Math.PI) / 180);
  context.drawImage(bitmap, -width / 2, -height / 2, width, height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** Scan the photo in `file`. Throws `NotAPicture`, or the error that prevented the scanner from loading. */
export async function scanPhoto(file: Blob, loadDetector: () => Promise<Detector>): Promise<ScanResult> {
  const [photo, detector] = await Promise.all([openPhoto(file), loadDetector()]);
  try {
    return await readPhoto(photo, detector);
  } finally {
    photo.close();
  }
}
