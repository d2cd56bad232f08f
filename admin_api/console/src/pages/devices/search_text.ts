/**
 * Interprets the text in the search box: the start of a name, the start of a fingerprint, or a complete label
 * or fingerprint in any notation. If several fit, the most likely comes first.
 */
import { decodeLabel, LabelError } from "../../label/label";
import { visible } from "../../label/notations";

export type Kind = "name" | "print";

export type ParsedSearch =
  | { is: "nothing" }
  /** The reason why the text cannot be searched: too short, or invalid in a name or fingerprint. */
  | { is: "unfit"; message: string }
  | { is: "device"; certid: string }
  /** The possible kinds, most likely first; `print` is the hex digits without separators. */
  | { is: "prefix"; kinds: readonly Kind[]; name: string; print: string };

const NAME = /^[a-zA-Z0-9:_-]{2,128}$/;
const PRINT = /^[0-9a-f]{4,64}$/;
const MIN_NAME = 2;

export function parseSearch(typed: string): ParsedSearch {
  const text = visible(typed).trim();
  if (text === "") return { is: "nothing" };
  const device = deviceOf(typed);
  if (device !== null) return device;
  if (text.length < MIN_NAME) return { is: "unfit", message: `Type at least ${MIN_NAME} characters.` };
  const print = text.replace(/[:\-\s]/g, "").toLowerCase();
  const fits: Record<Kind, boolean> = { name: NAME.test(text), print: PRINT.test(print) };
  const kinds = (isLikelyPrint(text) ? (["print", "name"] as const) : (["name", "print"] as const)).filter(
    (kind) => fits[kind],
  );
  return kinds.length > 0
    ? { is: "prefix", kinds, name: text, print }
    : { is: "unfit", message: whyNot(text) };
}

/**
 * A complete label or fingerprint. Codes are typed from left to right, so a short one is not wrong yet. Null for
 * text that is neither.
 */
function deviceOf(typed: string): ParsedSearch | null {
  try {
    return { is: "device", certid: decodeLabel(typed) };
  } catch (error) {
    if (!(error instanceof LabelError)) throw error;
    return /^dl1:/i.test(visible(typed).trim()) ? { is: "unfit", message: error.message } : null;
  }
}

/**
 * Grouped hex as printed, or text that contains both digits and hex letters: rare for names, typical for
 * fingerprints.
 */
function isLikelyPrint(text: string): boolean {
  if (/^([0-9a-f]{2}:)+[0-9a-f]{0,2}$/i.test(text) || /\s/.test(text)) return true;
  return /^[0-9a-f]+$/i.test(text) && /\d/.test(text) && /[a-f]/i.test(text);
}

function whyNot(text: string): string {
  if (text.length > 128) return `Too long: ${text.length} characters, 128 at most.`;
  const [odd] = text.match(/[^a-zA-Z0-9:_-]/) ?? [];
  if (odd === " ") return "Names have no spaces, and a fingerprint needs at least 4 hex digits.";
  return `"${odd}" is not allowed. Names contain a-z A-Z 0-9 : _ -`;
}
