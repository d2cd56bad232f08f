/**
 * Sorts the devices of one page by a column. The pages themselves are in the order of an index: of time, either
 * way, or of names. Pure.
 */
import type { DeviceLine } from "./device_line";

export interface Sort {
  /** The key of a column. */
  by: string;
  descending: boolean;
}

type Value = string | number | null | undefined;

/** Ascending, descending, and then the ledger's order again. */
export function nextSort(sort: Sort | null, by: string): Sort | null {
  if (sort?.by !== by) return { by, descending: false };
  return sort.descending ? null : { by, descending: true };
}

/** Devices without a value come last. Equal devices keep their order. */
export function sorted(
  lines: readonly DeviceLine[],
  valueIn: (line: DeviceLine) => Value,
  descending: boolean,
): DeviceLine[] {
  const sign = descending ? -1 : 1;
  return [...lines].sort((one, other) => {
    const [a, b] = [valueIn(one), valueIn(other)];
    if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b));
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  });
}

function isMissing(value: Value): value is null | undefined | "" {
  return value === null || value === undefined || value === "";
}
