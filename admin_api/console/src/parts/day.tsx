/** Shows the day of a time, with the exact time as a tooltip. All pages show days in this form, and times as `exact`. */
import { exact } from "./durations";

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const UTC_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** "30 Nov 2026" in the user's notation and time zone. */
export function day(at: string): string {
  return DAY.format(new Date(at));
}

/** The same in UTC: for days that users enter in UTC. The text has to say so. */
export function utcDay(at: string): string {
  return UTC_DAY.format(new Date(at));
}

export function Day({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exact(at)}>
      {day(at)}
    </time>
  );
}
