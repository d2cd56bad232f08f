/** Formats numbers: "10,432", "1 device", "under 1 %". */
const WHOLE = new Intl.NumberFormat("en");

export function formatNumber(count: number): string {
  return WHOLE.format(count);
}

/** `pluralize(1, "device")`: "1 device"; `pluralize(10432, "device")`: "10,432 devices". */
export function pluralize(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `part` of `all` in per cent, never rounded to 0 or 100 unless exact. */
export function percentage(part: number, all: number): string {
  if (all <= 0 || part <= 0) return "0 %";
  const percent = Math.round((part / all) * 100);
  if (percent === 0) return "under 1 %";
  return percent === 100 && part < all ? "over 99 %" : `${percent} %`;
}
