/**
 * What somebody may mean by what they typed into the one search box: the beginning of a name, the beginning of a
 * fingerprint, or a whole label, which is one device. Where it can be both, the likelier one comes first.
 */
import { decodeLabel, LabelError } from "../../label/label";

export type Kind = "name" | "print";

export type Reading =
  | { is: "nothing" }
  /** Not to be searched for, and why: too short, or nothing that a name or fingerprint can begin with. */
  | { is: "unfit"; words: string }
  | { is: "device"; certid: string }
  /** The kinds it can be, the likeliest first; `print` is the digits without what separates them. */
  | { is: "prefix"; kinds: readonly Kind[]; name: string; print: string };

const NAME = /^[a-zA-Z0-9:_-]{2,128}$/;
const PRINT = /^[0-9a-f]{4,64}$/;
const MIN_NAME = 2;

export function readingOf(typed: string): Reading {
  const text = typed.trim();
  if (text === "") return { is: "nothing" };
  if (text.length < MIN_NAME) return { is: "unfit", words: `Type at least ${MIN_NAME} characters.` };
  const print = text.replace(/[:\-\s]/g, "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(print)) return { is: "device", certid: print };
  if (/^dl1:/i.test(text)) return labelOf(text);
  const fits: Record<Kind, boolean> = { name: NAME.test(text), print: PRINT.test(print) };
  const kinds = (isLikelyPrint(text) ? (["print", "name"] as const) : (["name", "print"] as const)).filter(
    (kind) => fits[kind],
  );
  return kinds.length > 0 ? { is: "prefix", kinds, name: text, print } : { is: "unfit", words: whyNot(text) };
}

/** A code is typed from left to right, so that what is short is not wrong yet. */
function labelOf(text: string): Reading {
  try {
    return { is: "device", certid: decodeLabel(text) };
  } catch (error) {
    if (error instanceof LabelError) return { is: "unfit", words: error.message };
    throw error;
  }
}

/** Hex in groups as printed, or letters and digits that are all hex: names are seldom so, fingerprints always. */
function isLikelyPrint(text: string): boolean {
  if (/^([0-9a-f]{2}:)+[0-9a-f]{0,2}$/i.test(text) || /\s/.test(text)) return true;
  return /^[0-9a-f]+$/i.test(text) && /\d/.test(text) && /[a-f]/i.test(text);
}

function whyNot(text: string): string {
  if (text.length > 128) return `got ${text.length} characters, want at most 128`;
  const [odd] = text.match(/[^a-zA-Z0-9:_-]/) ?? [];
  if (odd === " ")
    return "got a space, want a name (a-z A-Z 0-9 : _ -) or at least 4 hex digits of a fingerprint";
  return `got "${odd}", want a name's characters: a-z A-Z 0-9 : _ -`;
}
