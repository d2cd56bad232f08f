/**
 * Converts devices to CSV (RFC 4180), one line per device with every field of the list. Values that a
 * spreadsheet would run as a formula are quoted.
 */
import type { DeviceLine } from "./device_line";

const FIELDS = [
  "certid",
  "devicename",
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
] as const satisfies readonly (keyof DeviceLine)[];

export function csvOf(lines: readonly DeviceLine[]): string {
  const rows = lines.map((line) => FIELDS.map((field) => cellOf(line[field])).join(","));
  return [FIELDS.join(","), ...rows, ""].join("\r\n");
}

function cellOf(value: string | number | null): string {
  if (value === null) return "";
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
