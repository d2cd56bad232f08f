/**
 * Encodes and decodes the text of a device label, as `lobby/text/label.py` does: `DL1:`, the fingerprint in base32 and
 * four check characters; v0.1's bare hex and other notations of a fingerprint; and the link of a label. Uses
 * SHA-256 from @noble/hashes because Web Crypto is asynchronous and codes are checked while they are typed.
 * Rejects other text with the API's error codes.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { digitsOf, visible } from "./notations";

/** The prefix of a label code. */
export const PREFIX = "DL1:";
export const CODE_LENGTH = 56;
export const HEX_LENGTH = 64;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BODY_LENGTH = 52;
const CODE = /^(?:DL1:?)?([A-Z2-7]{52})([A-Z2-7]{4})$/;
const LINK = /^(?:https?:\/\/)?[^\s#?]+\/claim\/?(?:\?([^#\s]*))?(?:#(\S*))?$/i;
/** A code among other text, and with any separators. */
const WITHIN = /(?<![A-Z0-9])DL1[^A-Z0-9]{0,3}((?:[A-Z2-7][\s_./·-]*){55}[A-Z2-7])(?![A-Z0-9])/g;
const QUOTES = /^[ "'`,;.<>]+|[ "'`,;.<>]+$/g;
export const MAX_TEXT = 1000;
const SHOWN = 80;

export type LabelFault = "INVALID_LABEL" | "INVALID_FINGERPRINT";

/** "got X, want Y" with the API's error code. */
export class LabelError extends Error {
  constructor(
    readonly code: LabelFault,
    message: string,
  ) {
    super(message);
  }
}

/** Return the label text for a fingerprint of 64 lower-case hex digits. */
export function encodeLabel(certid: string): string {
  const body = base32(bytesOf(certid));
  return PREFIX + body + checkOf(body);
}

/** Return the fingerprint that `text` identifies, which no keyboard has changed. Throws `LabelError`. */
export function decodeScanned(text: string): string {
  const plain = inLink(visible(text.slice(0, MAX_TEXT)).replace(QUOTES, ""));
  const code = plain.replace(/[\s-]/g, "").toUpperCase();
  if (text.length > MAX_TEXT) throw rejection(code, text);
  const { certid, otherKind } = digitsOf(plain);
  const decoded = decodedOf(code) ?? (code.startsWith("DL1") ? null : certid) ?? within(text);
  if (decoded === null) throw rejection(code, text, otherKind);
  return decoded;
}

/** The code in a label's link (`https://<console>/claim#DL1:…` or `?code=…`); other text unchanged. */
function inLink(text: string): string {
  const link = LINK.exec(/^http/i.test(text) ? text.replace(/\s/g, "") : text);
  if (!link) return text;
  const [, query = "", fragment = ""] = link;
  const parameter = [...new URLSearchParams(query)].find(([name]) => name.toLowerCase() === "code")?.[1];
  if (parameter) return visible(parameter);
  try {
    return visible(decodeURIComponent(fragment));
  } catch {
    return "";
  }
}

/**
 * The fingerprint of the only code in a text with other words. The check characters must match. An address must
 * be that of a claim page.
 */
function within(text: string): string | null {
  const plain = visible(unescaped(unescaped(text))).toUpperCase();
  if (plain.includes("://") && !plain.includes("/CLAIM")) return null;
  const codes = new Set([...plain.matchAll(WITHIN)].map(([, code = ""]) => code.replace(/[^A-Z2-7]/g, "")));
  const [only = ""] = codes;
  return codes.size === 1 ? decodedOf(only) : null;
}

function unescaped(text: string): string {
  return text.replace(/%[2-7][0-9a-f]/gi, decodeURIComponent);
}

/** The fingerprint of a code with matching check characters, with or without its prefix. */
export function decodedOf(code: string): string | null {
  const [, body, check] = CODE.exec(code) ?? [];
  return body !== undefined && checkOf(body) === check ? hexOf(body) : null;
}

/** `code` is the text without separators, in upper case. */
function rejection(code: string, text: string, otherKind: string | null = null): LabelError {
  if (!code.startsWith("DL1")) {
    const got = otherKind === null ? shown(text) : `${shown(text)} (${otherKind})`;
    const want = `the certificate's SHA-256 fingerprint: ${HEX_LENGTH} hex digits`;
    return new LabelError("INVALID_FINGERPRINT", `got ${got}, want ${want}`);
  }
  const want = CODE.test(code)
    ? "matching check characters (mistyped?)"
    : `DL1: and ${CODE_LENGTH} of the characters A-Z 2-7`;
  return new LabelError("INVALID_LABEL", `got ${shown(text)}, want ${want}`);
}

/** Whether the last four of `CODE_LENGTH` characters match the others. */
export function fits(code: string): boolean {
  return checkOf(code.slice(0, BODY_LENGTH)) === code.slice(BODY_LENGTH);
}

/** Quote the content of an unknown code on one line, with bounded length. */
export function shown(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.length <= SHOWN ? quoted : `${quoted.slice(0, SHOWN)}… (${text.length} characters)`;
}

/** 20 bits of SHA-256 over the body. */
function checkOf(body: string): string {
  return base32(sha256(new TextEncoder().encode(PREFIX + body)).subarray(0, 5)).slice(0, 4);
}

/** RFC 4648, without padding. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let buffer = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(buffer >> (bits - 5)) & 31];
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(buffer << (5 - bits)) & 31] : text;
}

/** Ignores surplus bits at the end, as the Python codec does. */
function hexOf(body: string): string {
  let hex = "";
  let bits = 0;
  let buffer = 0;
  for (const character of body) {
    buffer = (buffer << 5) | ALPHABET.indexOf(character);
    for (bits += 5; bits >= 4; bits -= 4) hex += ((buffer >> (bits - 4)) & 15).toString(16);
    buffer &= (1 << bits) - 1;
  }
  return hex.slice(0, HEX_LENGTH);
}

function bytesOf(certid: string): Uint8Array {
  const pairs = certid.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}
