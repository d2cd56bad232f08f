/**
 * Claim lists, checked completely before anything is sent, as `admin_api/cli/inputs/csv_claims.py` does. The columns are
 * `certid`, `fingerprint` or `label`, and optionally `target`, `profile`, `config` and `thing_name`. A manifest
 * and the console's exports are accepted unchanged. Invalid rows are reported with their lines; an unknown column
 * rejects the file, because it may be a misspelt one.
 */
import { decodeLabel, LabelError, shown } from "../label/label";
import { type ClaimVariables, EMPTY_REQUEST, variablesOf } from "../parts/claim_request";
import { keyOf, type TargetEntry } from "../parts/target_names";
import { checkAccount, checkName, checkNumber } from "./damaged_numbers";
import { ListError, unreadable } from "./list_error";
import { belowTitles, columnName, plainCell, readSheet, type Sheet, type SheetLine } from "./spreadsheet";
import { findTarget, requireProfile } from "./target_lookup";

const IDENTITY = ["certid", "fingerprint", "label"];
const REQUEST = ["target", "profile", "config"];
const MANIFEST = ["thing_name", "not_after", "serial_number", "sku", "batch"];
const EXPORT = [
  ...["devicename", "devstate", "reason", "generation", "claimedby", "claimedat", "enteredat", "firstseen"],
  ...["lobbyregion", "line", "ok", "code", "message", "online", "onlinesince", "expectedat", "expectedname"],
  ...["renewal", "renewby"],
];
const ACCOUNT = ["targetaccount", "targetregion"];
/** The column of the names that the devices are expected to have, until they have proven them. */
const EXPECTED_NAME = "thing_name";
const CHECKED = [...IDENTITY, ...REQUEST, ...ACCOUNT];

export interface ListRow {
  line: number;
  certid: string;
  request: ClaimVariables;
  /** The thing name that the list has for the device. */
  expectedName: string | null;
}

export interface RowError {
  line: number;
  code: string;
  message: string;
}

export interface ClaimList {
  rows: readonly ListRow[];
  errors: readonly RowError[];
  /** Lines that repeat an earlier one: the line and the earlier line. */
  duplicates: readonly (readonly [number, number])[];
}

/** The request of rows that have no values of their own; without a target, such rows are invalid. */
export type Defaults = Partial<ClaimVariables>;

/** Throws `ListError` UNREADABLE_FILE. */
export function readClaimList(
  bytes: Uint8Array,
  targets: readonly TargetEntry[],
  defaults: Defaults,
): ClaimList {
  const sheet = readSheet(bytes);
  const [header, ...lines] = belowTitles(sheet.lines, IDENTITY);
  if (!header) throw unreadable("an empty file");
  const columns = columnsOf(header.cells);
  if (lines.length === 0) throw unreadable("a header without rows");
  const rows: ListRow[] = [];
  const errors: RowError[] = [];
  for (const line of lines) {
    try {
      rows.push(rowOf(line, cellsOf(line, columns, sheet), targets, defaults));
    } catch (error) {
      if (!(error instanceof ListError || error instanceof LabelError)) throw error;
      errors.push({ line: line.number, code: error.code, message: error.message });
    }
  }
  return withoutDuplicates(rows, errors);
}

function columnsOf(header: readonly string[]): readonly string[] {
  const known = [...CHECKED, ...MANIFEST, ...EXPORT];
  const columns = header.map((cell) => columnName(cell, known));
  if (!columns.some((column) => IDENTITY.includes(column)))
    throw unreadable(
      `columns ${shown(header.join(", "))}`,
      "one of certid, fingerprint and label among them",
    );
  const repeated = columns.find((column, at) => known.includes(column) && columns.indexOf(column) !== at);
  if (repeated !== undefined) throw unreadable(`column ${repeated} twice`, "it once");
  const unknown = columns.findIndex((column) => !known.includes(column));
  if (unknown !== -1)
    throw unreadable(
      `column ${shown(header[unknown] ?? "")}`,
      `only ${[...IDENTITY, ...REQUEST].join(", ")}`,
    );
  return columns;
}

type Cells = ReadonlyMap<string, string>;

function cellsOf({ cells }: SheetLine, columns: readonly string[], { certain }: Sheet): Cells {
  if (cells.length !== columns.length)
    throw new ListError("INVALID_ROW", `got ${cells.length} cells, want ${columns.length} as in the header`);
  const row = new Map(columns.map((column, at) => [column, plainCell(cells[at] ?? "")]));
  for (const column of CHECKED) {
    const text = row.get(column) ?? "";
    if (!certain && /[^\0-\x7f]/.test(text))
      throw new ListError(
        "INVALID_ENCODING",
        `got ${shown(text)} in an unknown encoding, want a file in UTF-8`,
      );
    if (column !== "config") checkNumber(text, column);
  }
  checkName(row.get(EXPECTED_NAME) ?? "", EXPECTED_NAME);
  return row;
}

function rowOf(
  { number }: SheetLine,
  cells: Cells,
  targets: readonly TargetEntry[],
  defaults: Defaults,
): ListRow {
  const certid = certidOf(cells);
  const target = findTarget(targetIn(cells) || (defaults.target && keyOf(defaults.target)) || "", targets);
  const profile = cells.get("profile") || defaults.profile;
  if (profile !== undefined) requireProfile(target, profile);
  const config = configOf(cells.get("config") ?? "") ?? defaults.config;
  const { account, region } = target;
  return {
    line: number,
    certid,
    request: {
      target: { account, region },
      ...(profile === undefined ? {} : { profile }),
      ...(config === undefined ? {} : { config }),
    },
    expectedName: nameIn(cells),
  };
}

function nameIn(cells: Cells): string | null {
  const name = cells.get(EXPECTED_NAME) || null;
  if (name !== null && !/^[A-Za-z0-9:_-]{1,128}$/.test(name))
    throw new ListError(
      "INVALID_THING_NAME",
      `got ${shown(name)}, want 1 to 128 of the characters a-z A-Z 0-9 : _ -`,
    );
  return name;
}

/** The row's target; empty if it has none. */
function targetIn(cells: Cells): string {
  const [account = "", region = ""] = ACCOUNT.map((column) => cells.get(column));
  const target = cells.get("target") || (account && region && `${account}/${region}`);
  if (target.includes("/")) checkAccount((target.split("/")[0] ?? "").trim());
  return target;
}

function certidOf(cells: Cells): string {
  const values = IDENTITY.map((column) => cells.get(column) ?? "").filter((text) => text !== "");
  const certids = (values.length > 0 ? values : [""]).map(decodeLabel);
  if (new Set(certids).size > 1)
    throw new ListError(
      "INVALID_ROW",
      `got ${shown(values[0] ?? "")} and ${shown(values[1] ?? "")}, want one device`,
    );
  return certids[0] ?? "";
}

/** JSON if it starts like an object or a list, otherwise text; undefined if empty. */
function configOf(text: string): unknown {
  if (text === "") return undefined;
  const json = /^\s*[[{]/.test(text);
  const request = {
    ...EMPTY_REQUEST,
    target: "x/y",
    ...(json ? { kind: "json" as const, json: text } : { kind: "text" as const, text }),
  };
  const variables = variablesOf(request);
  if (!variables)
    throw new ListError("INVALID_CONFIG", `got ${shown(text)}, want text or a JSON object, no factory reset`);
  return variables.config;
}

/** Keeps one row per device. A device whose rows differ has no valid row. */
function withoutDuplicates(rows: readonly ListRow[], errors: RowError[]): ClaimList {
  const first = new Map<string, ListRow>();
  const duplicates: [number, number][] = [];
  const conflicting = new Map<string, number>();
  for (const row of rows) {
    const earlier = first.get(row.certid);
    if (!earlier) first.set(row.certid, row);
    else if (JSON.stringify(earlier.request) === JSON.stringify(row.request))
      duplicates.push([row.line, earlier.line]);
    else {
      if (!conflicting.has(row.certid)) conflicting.set(row.certid, row.line);
      errors.push(conflict(row, earlier.line));
    }
  }
  for (const [certid, line] of conflicting) {
    const row = first.get(certid);
    if (row) errors.push(conflict(row, line));
    first.delete(certid);
  }
  return { rows: [...first.values()], errors: errors.sort((a, b) => a.line - b.line), duplicates };
}

function conflict({ line, certid }: ListRow, other: number): RowError {
  const message = `got ${certid.slice(0, 12)}… with another request than in line ${other}, want it listed once`;
  return { line, code: "INVALID_ROW", message };
}
