/** Numbers for people: "10,432", "1 device", "under 1 %". */
const WHOLE = new Intl.NumberFormat("en");

export function whole(count: number): string {
  return WHOLE.format(count);
}

/** `counted(1, "device")`: "1 device"; `counted(10432, "device")`: "10,432 devices". */
export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `part` of `all` in per cent; what is not all is never rounded to all, nor something to nothing. */
export function share(part: number, all: number): string {
  if (all <= 0 || part <= 0) return "0 %";
  const percent = Math.round((part / all) * 100);
  if (percent === 0) return "under 1 %";
  return percent === 100 && part < all ? "over 99 %" : `${percent} %`;
}
