/** Formats durations and elapsed times as text. Pure. */

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
/** Clocks of several Lambdas may differ; a later time is not "just now". */
const MAX_AHEAD_SECONDS = 60;

/** "just now", "5 min. ago"; the exact time if it is in the future, because a clock is wrong. */
export function ago(at: Date, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1000;
  if (seconds < -MAX_AHEAD_SECONDS) return EXACT.format(at);
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return RELATIVE.format(-Math.floor(seconds / size), unit);
  }
  return seconds < 10 ? "just now" : RELATIVE.format(-Math.floor(seconds), "second");
}

/** "in 5 min.", "in 14 days"; how long ago it was if the time is over. For times that are planned. */
export function ahead(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return seconds > 0 ? RELATIVE.format(Math.floor(seconds / size), unit) : ago(at, now);
}

/** "0.8 s", "42 s", "3 min 5 s", "2 h 10 min", "3 d 4 h": the two largest units. */
export function duration(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/** "under 1 min", "5 min", "3 h", "2 d": the largest unit. */
export function roughDuration(milliseconds: number): string {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000);
  if (minutes < 1) return "under 1 min";
  if (minutes < 60) return `${minutes} min`;
  return minutes < 1_440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} d`;
}

export function exact(at: string): string {
  return EXACT.format(new Date(at));
}
