/**
 * Reads codes from pictures: barcode-detector (the web's own interface) over zxing's WebAssembly, which this origin
 * serves. It is loaded on the tap that wants it, so it is no part of the page's first load. Browsers' own detectors are
 * left aside: they differ in what they read, and iPhones have none.
 */
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import address from "zxing-wasm/reader/zxing_reader.wasm?url";
import type { Detector } from "./sight";

prepareZXingModule({ overrides: { locateFile: () => address } });

/** Labels are QR codes; Data Matrix costs nothing, and a manufacturer may print the same text in one. */
export function createDetector(): Detector {
  return new BarcodeDetector({ formats: ["qr_code", "data_matrix"] });
}
