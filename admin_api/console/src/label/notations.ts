/**
 * The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers and AWS.
 * Every code field accepts them, because users paste them. Text with other words is accepted only if it names
 * SHA-256 or has a certificate's ARN. Text with two different fingerprints or that of a public key is rejected,
 * and the error names what the text is instead, for example a SHA-1 fingerprint. The rules are those of
 * `lobby/text/notations.py`. Pure.
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
const ARN = /\barn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert\/([0-9a-f]{64})(?![0-9a-z])/gi;
const ALGORITHM = /(?<![0-9a-z])sha-?(?:2-)?256(?![0-9a-z])/gi;
const OTHER_DIGEST =
  /\b(?:sha-?1(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){20}|md5(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){16})(?![0-9a-f])/gi;
const PUBLIC_KEY =
  /(?:\bpublic[ -]?key\b|\bpubkey\b|\bspki\b|\bsubjectpublickey|öffentlicher? schlüssel|clé publique|clave pública|chiave pubblica|chave pública|(?:открытый|публичный) ключ|公钥|公鑰|公開鍵|公開キー|공개 ?키).*/iu;
/** A byte in source code: `0x2d`, `\x2d`. */
const BYTE = /(?<![0-9a-z])(?:0x|\\x)([0-9a-f]{2})(?![0-9a-f])|\\x([0-9a-f]{2})/gi;
const SEPARATORS = /[\s:=\-,;"'`“”„‘’«»•·()[\]{}<>|*]+/;
const WORDS = new Set(
  "cert certid certificate certificateid digest fingerprint fingerprints hash id stdin thumbprint".split(" "),
);
const LENGTH = 64;
/** Characters without a glyph that Unicode does not count as format characters: fillers, blanks, placeholders. */
const UNSEEN = /[\u115f\u1160\u2800\u3164\ufffc]/g;
/** Other digests by their number of hex digits. */
const OTHER_DIGESTS: Readonly<Record<number, string>> = {
  40: "SHA-1",
  32: "MD5",
  56: "SHA-224",
  96: "SHA-384",
  128: "SHA-512",
};
/** Texts that are often mistaken for a fingerprint, and their names. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/\bsha-?1(?![0-9a-z])/i, "SHA-1"],
  [/\bmd5(?![0-9a-z])/i, "MD5"],
  [/\bsha-?(?:2-)?384(?![0-9a-z])/i, "SHA-384"],
  [/\bsha-?(?:2-)?512(?![0-9a-z])/i, "SHA-512"],
  [/:cacert\/[0-9a-f]{64}/i, "a CA"],
  [/-----BEGIN /, "a file in PEM"],
  [/(?<![\w+])[\w+/-]{43}=?(?![\w+/=])/, "in base64"],
];

/**
 * Remove characters that are not visible (zero-width, bidirectional, soft hyphen, byte order mark); every dash
 * becomes `-`, every space one, and the digits of every script `0` to `9`. NFKC also turns full-width letters
 * into ASCII.
 */
export function visible(text: string, form: "NFC" | "NFKC" = "NFKC"): string {
  return text
    .normalize(form)
    .replace(UNSEEN, "")
    .replace(/[\s\p{Z}]/gu, (space) => (space === "\ufeff" ? "" : " "))
    .replace(/\p{Pd}/gu, "-")
    .replace(/(?!\d)\p{Nd}/gu, digitOf)
    .replace(/[\p{Cf}\p{Cc}\p{Mn}]/gu, "");
}

/** The digits of a script are ten characters in a row. */
function digitOf(character: string): string {
  const value = character.codePointAt(0) ?? 0;
  let zero = value;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((value - zero) % 10);
}

/** The hex digits of a SHA-256 fingerprint in `plain`; otherwise what the text is instead, if that is known. */
export function digitsOf(plain: string): { certid: string | null; otherKind: string | null } {
  const text = plain.replace(BYTE, (_, first = "", second = "") => `${first}${second} `);
  const stripped = text.replace(/^[ "',.]+|[ "',.]+$/g, "");
  const formed = inForm(stripped) ?? inForm(stripped.replaceAll(" ", ""));
  const digits = formed ?? (named(text) || amongWords(text));
  if (digits.length === LENGTH) return { certid: digits, otherKind: null };
  const kind = OTHER_DIGESTS[digits.length] ?? OTHER_KINDS.find(([form]) => form.test(text))?.[1];
  return { certid: null, otherKind: kind ?? null };
}

/**
 * The fingerprint in a text that one of `FORMS` describes; null for other text. The text may be without its
 * spaces, because an address may be wrapped.
 */
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

/**
 * The only fingerprint in a text that names SHA-256 or has a certificate's ARN; empty for other text. Viewers
 * print it in the user's language, tools in JSON and next to other digests.
 */
function amongWords(plain: string): string {
  let found = new Set([...plain.matchAll(ARN)].map(([, digits = ""]) => digits.toLowerCase()));
  let others = new Set((plain.match(FINGERPRINT) ?? []).map((each) => each.toLowerCase()));
  if (found.size === 0 && plain.search(ALGORITHM) >= 0) {
    found = new Set(runsOf(plain.replace(PUBLIC_KEY, "").replace(ALGORITHM, " sha256 ").toLowerCase()));
    others = found;
  }
  const [only] = found;
  return only !== undefined && found.size === 1 && [...others].every((each) => found.has(each)) ? only : "";
}

/** The fingerprints: groups of equally many digits, without a further such group next to them. */
function runsOf(text: string): string[] {
  const groups: { length: number; digits: string }[] = [];
  for (const word of text.split(SEPARATORS)) {
    const length = /^[0-9a-f]+$/.test(word) ? word.length : 0;
    const last = groups.at(-1);
    if (last?.length === length) last.digits += word;
    else groups.push({ length, digits: word });
  }
  return groups
    .filter(({ length, digits }) => length > 0 && digits.length === LENGTH)
    .map((each) => each.digits);
}
