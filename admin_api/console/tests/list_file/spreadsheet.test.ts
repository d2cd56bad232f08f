/** Lists are read as `lobbyctl` reads them: both have the same test vectors. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readClaimList } from "../../src/list_file/claim_list";
import { checkNumber } from "../../src/list_file/damaged_numbers";
import { ListError } from "../../src/list_file/list_error";
import { plainCell, readSheet } from "../../src/list_file/spreadsheet";
import type { TargetEntry } from "../../src/parts/target_names";

const FILE = join(import.meta.dirname, "../../../../tests/events/spreadsheet_vectors.json");
const VECTORS = JSON.parse(readFileSync(FILE, "utf8"));
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const TARGETS = VECTORS.targets as TargetEntry[];

function refusal(work: () => unknown): ListError {
  try {
    work();
  } catch (error) {
    if (error instanceof ListError) return error;
    throw error;
  }
  throw new Error("got no refusal, want one");
}

interface SheetVector {
  name: string;
  content: string;
  certain: boolean;
  lines: [number, string[]][];
}

test.each(VECTORS.sheets as SheetVector[])("reads $name", ({ content, certain, lines }) => {
  const sheet = readSheet(bytesOf(content));
  expect(sheet.lines.map(({ number, cells }) => [number, cells])).toEqual(lines);
  expect(sheet.certain).toBe(certain);
});

test.each(VECTORS.rejected as { content: string; got: string }[])("rejects $got", ({ content, got }) => {
  const { code, message } = refusal(() => readSheet(bytesOf(content)));
  expect(code).toBe("UNREADABLE_FILE");
  expect(message.startsWith(`got ${got}`)).toBe(true);
});

test.each(VECTORS.cells as [string, string][])("the cell %j is %j", (cell, text) => {
  expect(plainCell(cell)).toBe(text);
});

test.each(VECTORS.damaged as string[])("%s has lost its digits", (text) => {
  expect(refusal(() => checkNumber(text, "certid")).code).toBe("DAMAGED_NUMBER");
});

test.each(VECTORS.undamaged as string[])("%j has not lost digits", (text) => checkNumber(text, "certid"));

interface ClaimVector {
  name: string;
  content?: string;
  base64?: string;
  target: string | null;
  rows: { line: number; certid: string; target: string; profile: string | null; config: unknown }[];
  errors: [number, string][];
  duplicates: [number, number][];
}

describe("claim lists", () => {
  test.each(VECTORS.claims as ClaimVector[])("$name", (vector) => {
    const bytes = vector.base64 ? bytesOf(vector.base64) : new TextEncoder().encode(vector.content);
    const [account = "", region = ""] = vector.target?.split("/") ?? [];
    const list = readClaimList(bytes, TARGETS, vector.target ? { target: { account, region } } : {});
    expect(
      list.rows.map(({ line, certid, request }) => ({
        line,
        certid,
        target: `${request.target.account}/${request.target.region}`,
        profile: request.profile ?? null,
        config: request.config ?? null,
      })),
    ).toEqual(vector.rows);
    expect(list.errors.map(({ line, code }) => [line, code])).toEqual(vector.errors);
    expect(list.duplicates).toEqual(vector.duplicates);
    for (const { message } of list.errors) expect(message).toMatch(/^got .*, want /s);
  });

  test.each(VECTORS.no_claims as { content: string; got: string }[])(
    "$content is none",
    ({ content, got }) => {
      const { message } = refusal(() => readClaimList(new TextEncoder().encode(content), TARGETS, {}));
      expect(message.startsWith(`got ${got}`)).toBe(true);
    },
  );
});
