/**
 * The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers and AWS.
 * Every code field accepts them, because users paste them. The rules are those of `lobby/notations.py`. The
 * error for a SHA-1 or MD5 fingerprint names the digest. Text with other words around the digits is rejected.
 * Pure.
 */

const ARN = /^arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert\/([0-9a-f]{64})$/i;
const ALGORITHM = /\bsha-?(?:2-)?256\b/gi;
const SEPARATORS = /[\s:=\-,;"'()[\]{}<>|*]+/;
const WORDS = new Set(
  "cert certid certificate certificateid digest fingerprint fingerprints hash id stdin thumbprint".split(" "),
);
const OTHER_DIGESTS: Readonly<Record<number, string>> = { 40: "SHA-1", 32: "MD5" };

/**
 * Remove characters that are not visible (zero-width, bidirectional, soft hyphen, byte order mark); every dash
 * becomes `-` and every space one. NFKC also turns full-width letters into ASCII.
 */
export function visible(text: string, form: "NFC" | "NFKC" = "NFKC"): string {
  return text
    .normalize(form)
    .replace(/[\s\p{Z}]/gu, (space) => (space === "\ufeff" ? "" : " "))
    .replace(/\p{Pd}/gu, "-")
    .replace(/[\p{Cf}\p{Cc}\p{Mn}]/gu, "");
}

/** The hex digits of a SHA-256 fingerprint in `plain`, and the name of another digest if it is one. */
export function digitsOf(plain: string): { certid: string | null; otherDigest: string | null } {
  const [, id] = ARN.exec(plain.replace(/^[ "',]+|[ "',]+$/g, "")) ?? [];
  const digits = id?.toLowerCase() ?? named(plain);
  return {
    certid: digits.length === 64 ? digits : null,
    otherDigest: OTHER_DIGESTS[digits.length] ?? null,
  };
}

/** Empty if there is other text. A file name may follow, as `sha256sum` prints it. */
function named(plain: string): string {
  const words = plain.replace(ALGORITHM, " ").toLowerCase().split(SEPARATORS).filter(Boolean);
  const first = words.findIndex((word) => !WORDS.has(word));
  const rest = first < 0 ? [] : words.slice(first);
  const end = rest.findIndex((word) => !/^[0-9a-f]+$/.test(word));
  const after = end < 0 ? [] : rest.slice(end);
  const hex = (end < 0 ? rest : rest.slice(0, end)).join("");
  return after.length === 0 || (after.length === 1 && after[0]?.includes(".")) ? hex : "";
}
