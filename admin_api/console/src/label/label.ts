/**
 * Decodes what people type or paste into a code field, compatible with `lobby/text/label.py`: all that `codec.ts`
 * reads, and a code typed through another keyboard layout. Both codecs are tested with
 * `tests/events/label_vectors.json`. A page that only scans codes does not load the tables of the layouts.
 */
import { decodedOf, decodeScanned, MAX_TEXT } from "./codec";
import { asTypedOnUsKeys } from "./keyboard_layouts";
import { visible } from "./notations";

export {
  CODE_LENGTH,
  encodeLabel,
  fits,
  HEX_LENGTH,
  LabelError,
  type LabelFault,
  PREFIX,
  shown,
} from "./codec";

/** A code of another layout: the key of the colon has many characters, which may have no table. */
const TYPED = /^DL1[^A-Z2-7]?([A-Z2-7]{52}[A-Z2-7]{4})$/u;

/** Return the fingerprint that `text` identifies. Throws `LabelError`. */
export function decodeLabel(text: string): string {
  try {
    return decodeScanned(text);
  } catch (error) {
    const certid = text.length > MAX_TEXT ? null : corrected(text);
    if (certid === null) throw error;
    return certid;
  }
}

/** Only with the prefix and matching check characters: a wrong correction passes once in a million. */
function corrected(text: string): string | null {
  const codes = asTypedOnUsKeys(visible(text, "NFC")).map(
    (typed) => TYPED.exec(typed.replace(/[\s-]/g, "").toUpperCase())?.[1],
  );
  const certids = new Set(codes.filter((code) => code !== undefined).map(decodedOf));
  certids.delete(null);
  return certids.size === 1 ? ([...certids][0] ?? null) : null;
}
