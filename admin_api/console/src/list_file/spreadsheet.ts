/**
 * CSV files as spreadsheets save them, read into lines of cells as `lobby/text/spreadsheet.py` does: commas,
 * semicolons, tabs and bars, a first line `sep=;`, cells such as `="0012"` and `'0012`, empty columns at the
 * right, lines that end before them, and titles above the header. Both are tested with `tests/events/spreadsheet_vectors.json`.
 */
import { visible } from "../label/notations";
import { decode } from "./decoding";
import { unreadable } from "./list_error";

export interface SheetLine {
  /** The number of the record's first line in the file. */
  number: number;
  cells: readonly string[];
}

export interface Sheet {
  /** The records that are not blank; the first is the header. */
  lines: readonly SheetLine[];
  /** Whether the encoding is certain. */
  certain: boolean;
}

const SEPARATORS = [",", ";", "\t", "|"];
/** The first line. Programs that do not know it save it as cells, with their own separator. */
const SEPARATOR_LINE = /^\s*"?sep ?=(?: (?=[,;\t|]))?([^\r\n"]?)"?[,;\t|]*(?:\r\n|[\r\n]|$)/iu;
/** Other names of columns, as AWS and certificate viewers use them. */
const ALIASES: Readonly<Record<string, string>> = {
  certificateid: "certid",
  sha256: "fingerprint",
  sha256fingerprint: "fingerprint",
  fingerprintsha256: "fingerprint",
};
/** The most records above the header: titles, and headings over several columns. */
const TITLE_LINES = 10;
/** The characters at the start in which the header is. */
const HEAD = 10_000;
const FORMULA = /^=(?:T\()?"((?:[^"]|"")*)"\)?$/i;
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
/** Excel omits the last cells of lines if they are empty in all lines of a block. The first block has the header. */
const BLOCK = 16;
const MAX_CELL = 131_072;

/** Throws `ListError` UNREADABLE_FILE. */
export function readSheet(bytes: Uint8Array): Sheet {
  const { text, certain } = decode(bytes);
  const { separator, skipped, body } = separatorOf(text);
  const lines = [...records(body, separator, skipped)].filter(({ cells }) =>
    cells.some((cell) => cell.trim() !== ""),
  );
  const width = Math.max(
    0,
    ...lines.map(({ cells }) => cells.findLastIndex((cell) => cell.trim() !== "") + 1),
  );
  const header = lines[0]?.cells.length ?? 0;
  const complete = /[\r\n]$/.test(body) ? lines.length : lines.length - 1;
  return {
    lines: lines.map(({ number, cells }, at) => ({
      number,
      cells: inColumns(cells, width, at >= BLOCK && at < complete ? header : 0),
    })),
    certain,
  };
}

/**
 * Cut the columns at the right that are empty in every line, which spreadsheets save, and add those of the header
 * that are empty in this line, which Excel omits. `header` is 0 for a line that has no such cells or may be cut.
 */
function inColumns(cells: readonly string[], width: number, header: number): readonly string[] {
  const missing = Array.from({ length: Math.max(0, header - cells.length) }, () => "");
  return [...cells, ...missing].slice(0, width);
}

/** A cell's text without the notation that keeps a spreadsheet from changing it. */
export function plainCell(cell: string): string {
  const text = cell.trim();
  const [, formula] = FORMULA.exec(text) ?? [];
  if (formula !== undefined) return formula.replaceAll('""', '"').trim();
  return /^'[=+\-@\d\t]/.test(text) ? text.slice(1).trim() : text;
}

/**
 * The column of `known` that a cell of the header names, regardless of case, spaces, hyphens and invisible
 * characters; otherwise the cell's text in lower case.
 */
export function columnName(cell: string, known: readonly string[]): string {
  const text = visible(plainCell(cell)).trim().toLowerCase();
  const wanted = ALIASES[letters(text)] ?? letters(text);
  return known.find((column) => letters(column) === wanted) ?? text;
}

/**
 * The records from the header on: the first of `TITLE_LINES` with one of the `wanted` columns. Without such a
 * record, all.
 */
export function belowTitles(lines: readonly SheetLine[], wanted: readonly string[]): readonly SheetLine[] {
  const header = lines
    .slice(0, TITLE_LINES)
    .findIndex(({ cells }) => cells.some((cell) => wanted.includes(columnName(cell, wanted))));
  return lines.slice(Math.max(0, header));
}

function letters(name: string): string {
  return name.replace(/[\s_()-]/g, "");
}

function separatorOf(text: string): { separator: string; skipped: number; body: string } {
  const [line = "", named = ""] = SEPARATOR_LINE.exec(text) ?? [];
  const body = text.slice(line.length);
  const skipped = line.trimEnd() === "" ? 0 : linesIn(line);
  const header = firstRecord(body);
  const count = (separator: string) => header.split(separator).length;
  if (named !== "" && (header.includes(named) || SEPARATORS.every((each) => !header.includes(each))))
    return { separator: named, skipped, body };
  const separator = SEPARATORS.reduce((best, each) => (count(each) > count(best) ? each : best));
  return { separator, skipped, body };
}

function linesIn(text: string): number {
  return text.split(/\r\n|[\r\n]/).length - (/[\r\n]$/.test(text) ? 1 : 0);
}

/** The first record that is not blank, without its quoted cells, which may contain line ends. */
function firstRecord(text: string): string {
  const outside = text.slice(0, HEAD).replace(/"[^"]*"/g, '""');
  return outside.split(LINE_END).find((line) => line.trim() !== "") ?? "";
}

/** The records of RFC 4180, with spaces before a quoted cell and any line end. `skipped` lines come before. */
function* records(text: string, separator: string, skipped: number): Generator<SheetLine> {
  let at = 0;
  let line = 1 + skipped;
  while (at < text.length) {
    const number = line;
    const cells: string[] = [];
    for (let more = true; more; ) {
      const cell =
        text[skipSpaces(text, at)] === '"' ? quoted(text, at, separator) : bare(text, at, separator);
      if (cell.fault !== undefined || cell.value.length > MAX_CELL)
        throw unreadable(`line ${number}: ${cell.fault ?? `a cell of more than ${MAX_CELL} characters`}`);
      cells.push(cell.value);
      line += cell.value.split(/\r\n|[\r\n]/).length - 1;
      at = cell.end;
      more = text[at] === separator;
      if (more) at++;
    }
    at += text.startsWith("\r\n", at) ? 2 : 1;
    line++;
    yield { number, cells };
  }
}

interface Cell {
  value: string;
  /** The index of the separator or line end after it. */
  end: number;
  fault?: string;
}

function bare(text: string, from: number, separator: string): Cell {
  const start = skipSpaces(text, from);
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== "\r" && text[end] !== "\n") end++;
  return { value: text.slice(start, end), end };
}

function quoted(text: string, from: number, separator: string): Cell {
  let value = "";
  let at = skipSpaces(text, from) + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return { value: "", end: text.length, fault: "unexpected end of data" };
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at++;
  }
  const next = text[at];
  const ends = next === undefined || next === separator || next === "\r" || next === "\n";
  return ends ? { value, end: at } : { value, end: at, fault: `'${separator}' expected after '"'` };
}

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (text[at] === " ") at++;
  return at;
}
