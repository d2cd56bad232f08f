/**
 * Reads a label code while it is typed: groups it as printed, counts its characters, and checks it on every
 * keystroke. Invalid characters are rejected immediately. Likely misreadings are suggested, never corrected
 * automatically. Bare hex of v0.1 labels is accepted too, and every pasted notation that `decodeLabel` reads.
 * Pure.
 */

import { corrections } from "./corrections";
import { CODE_LENGTH, decodeLabel, encodeLabel, fits, HEX_LENGTH, type LabelFault, PREFIX } from "./label";
import { visible } from "./notations";

/** A suggested correction; `text` becomes the content of the field. */
export interface Suggestion {
  label: string;
  text: string;
}

export interface Problem {
  code: LabelFault;
  message: string;
  suggestions: readonly Suggestion[];
}

export interface Typed {
  /** The content of the field: upper case, in groups of four, four groups per line. */
  shown: string;
  /** The number of characters, and the number expected; `want` is null until the kind is known. */
  have: number;
  want: number | null;
  problem: Problem | null;
  /** The fingerprint, once the code is complete and valid. */
  certid: string | null;
}

type Kind = "code" | "hex" | "either";

/**
 * The characters of each kind, as text and as a pattern, and common misreadings that produce an invalid
 * character.
 */
const RULES = {
  code: {
    fault: "INVALID_LABEL",
    rule: "A-Z and 2-7",
    has: /[A-Z2-7]/,
    misreadings: { 0: "O", 1: "I", 8: "B" },
  },
  hex: {
    fault: "INVALID_FINGERPRINT",
    rule: "0-9 and A-F",
    has: /[0-9A-F]/,
    misreadings: { O: "0", I: "1", L: "1" },
  },
  either: { fault: "INVALID_LABEL", rule: "letters and digits", has: /[0-9A-Z]/, misreadings: {} },
} as const satisfies Record<
  Kind,
  { fault: LabelFault; rule: string; has: RegExp; misreadings: Record<string, string> }
>;

const SEPARATORS = /[\s:-]/g;
const MISREAD_PREFIX = /^[\s-]*D[\s-]*L[\s-]*[IL|!][\s-]*:/i;
const MAX_TYPED = 1000;
/** From this length on, the prefix is added: a shorter text could still be the prefix itself. */
const BEGUN = 5;

/** Read the content of the field. */
export function readTyped(text: string): Typed {
  const typed = visible(text.slice(0, MAX_TYPED), "NFC");
  const characters = charactersOf(typed);
  const pasted = pastedAs(typed, characters);
  if (pasted !== null) return readTyped(pasted);
  if (MISREAD_PREFIX.test(typed)) return misreadPrefix(typed);
  const prefixed = characters.startsWith("DL1");
  const body = prefixed ? characters.slice(3) : characters;
  const kind = prefixed ? "code" : kindOf(body);
  const shown = shownAs(body, prefixed || (kind === "code" && body.length >= BEGUN), typed);
  const want = kind === "either" ? null : kind === "code" ? CODE_LENGTH : HEX_LENGTH;
  const problem = invalidCharacters(body, kind, shown) ?? tooLong(body, want, kind);
  const reading: Typed = { shown, have: body.length, want, problem, certid: null };
  if (problem || body.length !== want) return reading;
  if (kind === "hex" || fits(body))
    return { ...reading, certid: decodeLabel(kind === "hex" ? body : PREFIX + body) };
  return { ...reading, problem: checkFailed(body) };
}

/**
 * Return the position of the caret in `shown` that corresponds to `caret` in `text`; separators are not
 * counted.
 */
export function caretIn(shown: string, text: string, caret: number): number {
  const added = charactersOf(shown).length - charactersOf(text).length;
  let left = charactersOf(text.slice(0, caret)).length + added;
  let at = 0;
  while (left > 0 && at < shown.length) {
    if (charactersOf(shown.charAt(at)) !== "") left--;
    at++;
  }
  return shown.charAt(at) === ":" ? at + 1 : at;
}

/**
 * The code or the hex digits that `typed` contains in another notation; null if it has none, or has them
 * already. The prefix that this module adds is not part of a code that is typed through another layout.
 */
function pastedAs(typed: string, characters: string): string | null {
  for (const text of [typed, typed.replace(/^DL1:\s*/, "")]) {
    const certid = certidOf(text);
    if (certid === null) continue;
    const code = encodeLabel(certid);
    if ([certid.toUpperCase(), charactersOf(code), charactersOf(code).slice(3)].includes(characters))
      return null;
    return characters.includes(certid.toUpperCase()) ? certid : code;
  }
  return null;
}

function certidOf(text: string): string | null {
  try {
    return decodeLabel(text);
  } catch {
    return null;
  }
}

function charactersOf(text: string): string {
  return text.replace(SEPARATORS, "").toUpperCase();
}

/**
 * Hex has no letter after F; a code has no 0, 1, 8 or 9. A single O, I or L among many digits is a misread
 * digit.
 */
function kindOf(body: string): Kind {
  const letters = body.replace(/[^G-Z]/g, "");
  const digits = body.replace(/[^0189]/g, "").length;
  if (letters === "") return digits > 0 ? "hex" : body.length > CODE_LENGTH ? "hex" : "either";
  return digits > letters.length && /^[OIL]+$/.test(letters) ? "hex" : "code";
}

/**
 * Format as on the label. Text with characters that no code has is left unchanged: it may be another notation
 * that is not complete yet.
 */
function shownAs(body: string, prefixed: boolean, typed: string): string {
  if (/[^0-9A-Z]/.test(body) || (/[G-Z]/.test(body) && /:/.test(typed.replace(/^\s*DL1\s*:/i, ""))))
    return typed;
  if (body === "") return typed.trim() === "" ? "" : typed.trim().toUpperCase();
  const groups = [...(prefixed ? [PREFIX] : []), ...(body.match(/.{1,4}/gsu) ?? [])];
  return groups
    .map((group, index) => group + (index % 4 === 3 ? "\n" : " "))
    .join("")
    .trimEnd();
}

function invalidCharacters(body: string, kind: Kind, shown: string): Problem | null {
  const { fault, rule, has, misreadings } = RULES[kind];
  const strange = [...new Set(body)].filter((character) => !has.test(character));
  if (strange.length === 0) return null;
  const meant = strange.flatMap((sign) => {
    const instead = (misreadings as Record<string, string>)[sign];
    return instead ? [[sign, instead] as const] : [];
  });
  const label = `Change ${meant.map(([sign, instead]) => `${sign} to ${instead}`).join(", ")}`;
  const text = meant.reduce((so_far, [sign, instead]) => replaceSigns(so_far, sign, instead), shown);
  const got = strange.map((sign) => `“${sign}”`).join(", ");
  return {
    code: fault,
    message: `Not allowed: ${got}. Use ${rule}.`,
    suggestions: meant.length > 0 ? [{ label, text }] : [],
  };
}

/** The 1 of the prefix is not a misreading. */
function replaceSigns(shown: string, sign: string, instead: string): string {
  const prefix = shown.startsWith(PREFIX) ? PREFIX : "";
  return prefix + shown.slice(prefix.length).replaceAll(sign, instead);
}

function tooLong(body: string, want: number | null, kind: Kind): Problem | null {
  if (want === null || body.length <= want) return null;
  return {
    code: RULES[kind].fault,
    message: `Too long: ${body.length} characters instead of ${want}.`,
    suggestions: [],
  };
}

function checkFailed(body: string): Problem {
  const suggestions = corrections(body).map(({ body: corrected, line, from, to }) => ({
    label: `Line ${line}: change ${from} to ${to}`,
    text: shownAs(corrected, true, corrected),
  }));
  return {
    code: "INVALID_LABEL",
    message: "The check characters don't match. The code may be mistyped.",
    suggestions,
  };
}

function misreadPrefix(typed: string): Typed {
  const rest = typed.replace(MISREAD_PREFIX, "");
  const suggestion = { label: "Change the start to DL1:", text: readTyped(PREFIX + rest).shown };
  const problem: Problem = {
    code: "INVALID_LABEL",
    message: `The code starts with “${typed.slice(0, typed.indexOf(":") + 1).toUpperCase()}”. Expected “${PREFIX}”.`,
    suggestions: [suggestion],
  };
  return {
    shown: typed.toUpperCase(),
    have: charactersOf(rest).length,
    want: CODE_LENGTH,
    problem,
    certid: null,
  };
}
