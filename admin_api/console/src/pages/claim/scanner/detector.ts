/**
 * Reads codes from pictures with barcode-detector (the web's own interface) on zxing's WebAssembly, served
 * from this origin. Loaded on demand, so it is not part of the first load. Native detectors are not used:
 * they differ in what they read, and iPhones have none.
 */
import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";
import address from "zxing-wasm/reader/zxing_reader.wasm?url";
import type { Detector } from "./scan_result";

prepareZXingModule({ overrides: { locateFile: () => address } });

/**
 * Labels are QR codes. Data Matrix is also read, at no cost, because a manufacturer may print the same text
 * in one.
 */
export function createDetector(): Detector {
  return new BarcodeDetector({ formats: ["qr_code", "data_matrix"] });
}

/**
 * Serial numbers are often bar codes. Formats without a check digit, which are misread, and those of products
 * (EAN, UPC), which are no serial numbers, are not read.
 */
export function createSerialDetector(): Detector {
  return new BarcodeDetector({ formats: ["qr_code", "data_matrix", "code_128", "code_93", "code_39"] });
}
