/**
 * Converts devices to CSV (RFC 4180), one line per device with every field of the list. Values that a
 * spreadsheet would run as a formula are quoted. Values that it would read as a number and change, such as account
 * numbers with leading zeros, are written as the formula of a text, which `lobbyctl claim --file` reads, too.
 */
import type { DeviceLine } from "./device_line";

const FIELDS = [
  "certid",
  "devicename",
  "expectedName",
  "devstate",
  "reason",
  "targetaccount",
  "targetregion",
  "profile",
  "generation",
  "claimedBy",
  "claimedAt",
  "enteredAt",
  "firstSeen",
  "lobbyRegion",
  "online",
  "onlineSince",
] as const satisfies readonly (keyof DeviceLine)[];

/** As in the CSV of `lobbyctl`. */
const RENEWAL = ["renewal", "renewby"];

function renewalOf({ renewal }: DeviceLine): (string | null)[] {
  if (!renewal) return [null, null];
  return [renewal.overdue ? "overdue" : renewal.stage.toLowerCase(), renewal.by];
}

export function csvOf(lines: readonly DeviceLine[]): string {
  const rows = lines.map((line) =>
    [...FIELDS.map((field) => line[field]), ...renewalOf(line)].map(cellOf).join(","),
  );
  return [[...FIELDS, ...RENEWAL].join(","), ...rows, ""].join("\r\n");
}

export function cellOf(value: string | number | boolean | null): string {
  if (value === null) return "";
  const text = String(value);
  const safe =
    typeof value === "string" && isChangedBySpreadsheets(text)
      ? `="${text}"`
      : /^[=+\-@\t\r]/.test(text)
        ? `'${text}`
        : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Texts that a spreadsheet reads as another value: with leading zeros, 12 digits, `1e5`, a date, time or truth value. */
const CHANGED =
  /^(?:0\d+|\d{12,}|\d+e\d+|\d{1,4}([-:/])\d{1,4}(?:\1\d{1,4})?|true|false|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*-?\d{1,4})$/i;

function isChangedBySpreadsheets(text: string): boolean {
  return CHANGED.test(text);
}
