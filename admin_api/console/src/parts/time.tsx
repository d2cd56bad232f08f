/** Shows times and durations: "3 min. ago", with the exact time as a tooltip. */
import { useInterval } from "@mantine/hooks";
import { useState } from "react";
import { serverClock } from "../clock/server_clock";
import { ago, ahead, exact, roughDuration } from "./durations";

export { ago, ahead, duration, exact, roughDuration } from "./durations";

/** The lobby's time, updated every `everyMs`. The times of devices are of its clock. */
export function useNow(everyMs: number): Date {
  const [now, setNow] = useState(() => new Date(serverClock.now()));
  useInterval(() => setNow(new Date(serverClock.now())), everyMs, { autoInvoke: true });
  return now;
}

/** This device's time, for what happened on this device. */
export function useOwnNow(everyMs: number): Date {
  const [now, setNow] = useState(() => new Date());
  useInterval(() => setNow(new Date()), everyMs, { autoInvoke: true });
  return now;
}

interface Props {
  at: string;
}

/** A time relative to now, as `text` states it. */
function Relative({ at, text }: Props & { text: (at: Date, now: Date) => string }) {
  const now = useNow(5_000);
  return (
    <time dateTime={at} title={exact(at)}>
      {text(new Date(at), now)}
    </time>
  );
}

const elapsed = (at: Date, now: Date) => roughDuration(now.getTime() - at.getTime());

/** How long ago `at` was: "5 min". */
export function Elapsed({ at }: Props) {
  return <Relative at={at} text={elapsed} />;
}

/** In how much time `at` is, which is planned: "in 5 min.". */
export function Ahead({ at }: Props) {
  return <Relative at={at} text={ahead} />;
}

export function Ago({ at }: Props) {
  return <Relative at={at} text={ago} />;
}
