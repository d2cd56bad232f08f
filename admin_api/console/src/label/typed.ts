/**
 * A label's code while somebody types it: grouped as it is printed, counted, and checked with every key. What cannot be
 * part of a code is refused at once with the rule; what looks like a slip is offered, never put right silently.
 * Pure: the same text is always read the same way. Bare hex of v0.1's labels is taken, too.
 */

import { CODE_LENGTH, decodeLabel, fits, HEX_LENGTH, type LabelFault, PREFIX } from "./label";
import { mend } from "./mend";

/** What may be meant instead; `text` is what the field says then. */
export interface Offer {
  words: string;
  text: string;
}

export interface Trouble {
  code: LabelFault;
  message: string;
  offers: readonly Offer[];
}

export interface Typed {
  /** As it is shown in the field: upper case, in fours, four groups to a line. */
  shown: string;
  /** How many characters there are, and of how many; `want` is null until it can be told. */
  have: number;
  want: number | null;
  trouble: Trouble | null;
  /** The fingerprint, once it is complete and right. */
  certid: string | null;
}

type Kind = "code" | "hex" | "either";

/** Which characters each kind has, in words and as a test; which slips of the eye end in one that it lacks. */
const RULES = {
  code: {
    fault: "INVALID_LABEL",
    rule: "A-Z and 2-7 only",
    has: /[A-Z2-7]/,
    slips: { 0: "O", 1: "I", 8: "B" },
  },
  hex: {
    fault: "INVALID_FINGERPRINT",
    rule: "0-9 and A-F only",
    has: /[0-9A-F]/,
    slips: { O: "0", I: "1", L: "1" },
  },
  either: { fault: "INVALID_LABEL", rule: "letters and digits only", has: /[0-9A-Z]/, slips: {} },
} as const satisfies Record<
  Kind,
  { fault: LabelFault; rule: string; has: RegExp; slips: Record<string, string> }
>;

const SEPARATORS = /[\s:-]/g;
const SLIPPED_PREFIX = /^[\s-]*D[\s-]*L[\s-]*[IL|!][\s-]*:/i;
const MAX_TYPED = 400;
/** From here on a code that was begun without its prefix gets it: less could still be the prefix itself. */
const BEGUN = 5;

/** Reads what stands in the field. */
export function readTyped(text: string): Typed {
  const typed = text.slice(0, MAX_TYPED);
  if (SLIPPED_PREFIX.test(typed)) return slippedPrefix(typed);
  const signs = signsOf(typed);
  const prefixed = signs.startsWith("DL1");
  const body = prefixed ? signs.slice(3) : signs;
  const kind = prefixed ? "code" : kindOf(body);
  const shown = shownAs(body, prefixed || (kind === "code" && body.length >= BEGUN), typed);
  const want = kind === "either" ? null : kind === "code" ? CODE_LENGTH : HEX_LENGTH;
  const trouble = impossible(body, kind, shown) ?? tooMany(body, want, kind);
  const reading: Typed = { shown, have: body.length, want, trouble, certid: null };
  if (trouble || body.length !== want) return reading;
  if (kind === "hex" || fits(body))
    return { ...reading, certid: decodeLabel(kind === "hex" ? body : PREFIX + body) };
  return { ...reading, trouble: misfit(body) };
}

/** Where the caret belongs in `shown`, `before` characters (separators aside) having stood before it in `text`. */
export function caretIn(shown: string, text: string, caret: number): number {
  const added = signsOf(shown).length - signsOf(text).length;
  let left = signsOf(text.slice(0, caret)).length + added;
  let at = 0;
  while (left > 0 && at < shown.length) {
    if (signsOf(shown.charAt(at)) !== "") left--;
    at++;
  }
  return shown.charAt(at) === ":" ? at + 1 : at;
}

function signsOf(text: string): string {
  return text.replace(SEPARATORS, "").toUpperCase();
}

/** Hex has no letter after F, a code no 0 1 8 9. A stray O, I or L among many such digits is a slip in hex. */
function kindOf(body: string): Kind {
  const letters = body.replace(/[^G-Z]/g, "");
  const digits = body.replace(/[^0189]/g, "").length;
  if (letters === "") return digits > 0 ? "hex" : body.length > CODE_LENGTH ? "hex" : "either";
  return digits > letters.length && /^[OIL]+$/.test(letters) ? "hex" : "code";
}

/** As on the label; a beginning that may yet be anything stays as it is. */
function shownAs(body: string, prefixed: boolean, typed: string): string {
  if (body === "") return typed.trim() === "" ? "" : typed.trim().toUpperCase();
  const groups = [...(prefixed ? [PREFIX] : []), ...(body.match(/.{1,4}/gsu) ?? [])];
  return groups
    .map((group, index) => group + (index % 4 === 3 ? "\n" : " "))
    .join("")
    .trimEnd();
}

function impossible(body: string, kind: Kind, shown: string): Trouble | null {
  const { fault, rule, has, slips } = RULES[kind];
  const strange = [...new Set(body)].filter((character) => !has.test(character));
  if (strange.length === 0) return null;
  const meant = strange.flatMap((sign) => {
    const instead = (slips as Record<string, string>)[sign];
    return instead ? [[sign, instead] as const] : [];
  });
  const words = `Read ${meant.map(([sign, instead]) => `${sign} as ${instead}`).join(", ")}`;
  const text = meant.reduce((so_far, [sign, instead]) => replaceSigns(so_far, sign, instead), shown);
  const got = strange.map((sign) => `“${sign}”`).join(", ");
  return {
    code: fault,
    message: `got ${got}, want ${rule}`,
    offers: meant.length > 0 ? [{ words, text }] : [],
  };
}

/** The 1 of the prefix is no slip. */
function replaceSigns(shown: string, sign: string, instead: string): string {
  const prefix = shown.startsWith(PREFIX) ? PREFIX : "";
  return prefix + shown.slice(prefix.length).replaceAll(sign, instead);
}

function tooMany(body: string, want: number | null, kind: Kind): Trouble | null {
  if (want === null || body.length <= want) return null;
  return { code: RULES[kind].fault, message: `got ${body.length} characters, want ${want}`, offers: [] };
}

function misfit(body: string): Trouble {
  const offers = mend(body).map(({ body: mended, line, from, to }) => ({
    words: `Line ${line}: ${to}, not ${from}`,
    text: shownAs(mended, true, mended),
  }));
  return { code: "INVALID_LABEL", message: "The check characters do not fit: mistyped?", offers };
}

function slippedPrefix(typed: string): Typed {
  const rest = typed.replace(SLIPPED_PREFIX, "");
  const offer = { words: "Read the beginning as DL1:", text: readTyped(PREFIX + rest).shown };
  const trouble: Trouble = {
    code: "INVALID_LABEL",
    message: `got “${typed.slice(0, typed.indexOf(":") + 1).toUpperCase()}” at the beginning, want “${PREFIX}”`,
    offers: [offer],
  };
  return { shown: typed.toUpperCase(), have: signsOf(rest).length, want: CODE_LENGTH, trouble, certid: null };
}
