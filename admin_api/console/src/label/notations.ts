/**
 * The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers and AWS.
 * Every code field accepts them, because users paste them. The rules are those of `lobby/notations.py`. The
 * error for a SHA-1 or MD5 fingerprint names the digest. Text with other words around the digits is rejected,
 * and text with two different fingerprints. Pure.
 */

/** The notations that contain other text than words: an address or the path of a file. */
const FORMS = [
  /^arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert\/([0-9a-f]{64})$/i,
  // The page of a certificate in the console of AWS.
  /^https:\/\/(?:[a-z0-9-]+\.)*console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)\/iot\/\S*#\/certificate\/([0-9a-f]{64})(?:[/?]\S*)?$/i,
  // sha256sum FILE; a backslash if the file's name has one.
  /^\\?([0-9a-f]{64}) [ *]\S.*$/i,
  // openssl dgst FILE, sha256sum --tag FILE.
  /^sha-?(?:2-)?256 ?\(.*\) ?= ?([0-9a-f]{64})$/i,
  // Get-FileHash of PowerShell, and with Format-List.
  /^(?:algorithm +hash +path[ -]+)?sha256 +([0-9a-f]{64}) +\S.*$/i,
  /^algorithm *: *sha256 +hash *: *([0-9a-f]{64}) +path *:.*$/i,
];
const FINGERPRINT = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi;
const ALGORITHM = /\bsha-?(?:2-)?256\b/gi;
const OTHER_DIGEST =
  /\b(?:sha-?1(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){20}|md5(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){16})(?![0-9a-f])/gi;
const PUBLIC_KEY = /\bpublic key\b.*/i;
const SEPARATORS = /[\s:=\-,;"'`“”„‘’«»•·()[\]{}<>|*]+/;
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
  const digits = inForm(plain.replace(/^[ "',]+|[ "',]+$/g, "")) ?? named(plain);
  return {
    certid: digits.length === 64 ? digits : null,
    otherDigest: OTHER_DIGESTS[digits.length] ?? null,
  };
}

/** The fingerprint in a text that one of `FORMS` describes; null for other text. */
function inForm(text: string): string | null {
  const found = new Set((text.match(FINGERPRINT) ?? []).map((each) => each.toLowerCase()));
  if (found.size !== 1) return null;
  for (const form of FORMS) {
    const [, digits] = form.exec(text) ?? [];
    if (digits !== undefined) return digits.toLowerCase();
  }
  return null;
}

/**
 * Empty if there is other text. A file name may follow, as `sha256sum` prints it. Viewers also print the SHA-1 or
 * MD5 fingerprint, and that of the public key.
 */
function named(plain: string): string {
  const own = plain.search(ALGORITHM) < 0 ? plain : plain.replace(OTHER_DIGEST, " ").replace(PUBLIC_KEY, "");
  const words = own.replace(ALGORITHM, " ").toLowerCase().split(SEPARATORS).filter(Boolean);
  const first = words.findIndex((word) => !WORDS.has(word));
  const rest = first < 0 ? [] : words.slice(first);
  if (rest[0] !== undefined) rest[0] = rest[0].replace(/^0x/, "");
  const end = rest.findIndex((word) => !/^[0-9a-f]+$/.test(word));
  const after = end < 0 ? [] : rest.slice(end);
  const hex = (end < 0 ? rest : rest.slice(0, end)).join("");
  return after.length === 0 || (after.length === 1 && after[0]?.includes(".")) ? hex : "";
}
