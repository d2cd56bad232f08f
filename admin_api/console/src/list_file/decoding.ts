/**
 * Decodes a file as `lobby/text/spreadsheet.py` does: UTF-8, UTF-16 and UTF-32 with or without a byte order
 * mark, otherwise a Windows code page, whose characters outside ASCII are not certain. Rejects workbooks and
 * other binary files.
 */
import { SAVE_AS, unreadable } from "./list_error";

export interface Decoded {
  text: string;
  /** False if the encoding is a guess. */
  certain: boolean;
}

/** The mark of UTF-16 is the start of UTF-32's, so UTF-32 comes first. */
const MARKS: readonly (readonly [readonly number[], string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe, 0, 0], "utf-32-le"],
  [[0, 0, 0xfe, 0xff], "utf-32-be"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];
const OTHER_FILES: readonly (readonly [string, string])[] = [
  ["PK\x03\x04", "a workbook or archive (.xlsx, .ods, .zip)"],
  ["PK\x05\x06", "an empty archive (.zip)"],
  ["\xd0\xcf\x11\xe0", "a workbook (.xls)"],
  ["%PDF", "a PDF file"],
  ["\x89PNG", "a picture"],
  ["\xff\xd8\xff", "a picture"],
  ["GIF8", "a picture"],
  ["RIFF", "a picture"],
  ["\x1f\x8b", "a compressed file (.gz)"],
  ["BZh", "a compressed file (.bz2)"],
  ["\xfd7zXZ", "a compressed file (.xz)"],
  ["\x28\xb5\x2f\xfd", "a compressed file (.zst)"],
  ["Rar!", "an archive (.rar)"],
  ["II*\0", "a picture"],
  ["MM\0*", "a picture"],
  ["SQLite format", "a database"],
  ["ID;P", "a symbolic link file (.slk)"],
  ["7z\xbc\xaf", "an archive (.7z)"],
  ["{\\rtf", "a text document (.rtf)"],
  ["\0\0\0", "a picture or film"],
];
const OTHER_TEXTS: readonly (readonly [string, string])[] = [
  ["<", "a web page or XML (also if it is called .xls)"],
  ["MIME-Version:", "a web page (also if it is called .xls)"],
  ["{", "JSON"],
  ["[", "JSON"],
  ["-----BEGIN", "a certificate or key in PEM"],
];
/** What DOS programs write after the last line. */
const END_OF_FILE = "\x1a";
const CODE_PAGE = "windows-1252";
const HEAD = 64;

/** Throws `ListError` UNREADABLE_FILE. */
export function decode(bytes: Uint8Array): Decoded {
  const start = String.fromCharCode(...bytes.subarray(0, HEAD));
  for (const [signature, kind] of OTHER_FILES)
    if (start.startsWith(signature)) throw unreadable(kind, SAVE_AS);
  const [mark, marked] = MARKS.find(([each]) => each.every((byte, at) => bytes[at] === byte)) ?? [[], null];
  const encoding = marked ?? guessed(bytes);
  const content = bytes.subarray(mark.length);
  const decoded = decodedAs(encoding, content);
  if (decoded === null && (marked !== null || encoding !== "utf-8"))
    throw unreadable(`bytes that are not ${encoding.toUpperCase().replace(/^UTF-16([LB]E)$/, "UTF-16-$1")}`);
  const text = decoded ?? new TextDecoder(CODE_PAGE).decode(content);
  if (text.includes("\0")) throw unreadable("zero bytes", SAVE_AS);
  const beginning = text.replace(/^[\ufeff \t\r\n]+/, "");
  for (const [sign, kind] of OTHER_TEXTS) if (beginning.startsWith(sign)) throw unreadable(kind, SAVE_AS);
  return { text: contentOf(text), certain: decoded !== null };
}

function contentOf(text: string): string {
  const content = text.replace(/^\ufeff+/, "");
  let end = content.length;
  while (end > 0 && `${END_OF_FILE}\r\n`.includes(content.charAt(end - 1))) end--;
  return content.includes(END_OF_FILE, end) ? content.slice(0, end) : content;
}

/** Null if the bytes are invalid. */
function decodedAs(encoding: string, content: Uint8Array): string | null {
  try {
    if (encoding.startsWith("utf-32")) return utf32(content, encoding === "utf-32-le");
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

/** Browsers do not decode UTF-32. Throws for invalid bytes. */
function utf32(content: Uint8Array, littleEndian: boolean): string {
  if (content.length % 4 !== 0) throw new RangeError("cut UTF-32");
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const characters: string[] = [];
  for (let at = 0; at < content.length; at += 4)
    characters.push(String.fromCodePoint(view.getUint32(at, littleEndian)));
  return characters.join("");
}

/** UTF-16 without a mark has zero bytes at every other place, because the header is ASCII. */
function guessed(bytes: Uint8Array): string {
  const head = [...bytes.subarray(0, HEAD)];
  const even = head.filter((_, at) => at % 2 === 0);
  const odd = head.filter((_, at) => at % 2 === 1);
  const zeros = (part: number[]) => part.every((byte) => byte === 0);
  const full = (part: number[]) => part.every((byte) => byte !== 0);
  if (head.length >= 4 && zeros(odd) && full(even)) return "utf-16le";
  if (head.length >= 4 && zeros(even) && full(odd)) return "utf-16be";
  return "utf-8";
}
