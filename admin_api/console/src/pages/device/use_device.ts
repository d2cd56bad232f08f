/** One device, looked at every 2 seconds while something is about to happen to it, else every 10. */
import { useEffect, useState } from "react";
import { type Failure, failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { DEVICE, isPassing, type WholeDevice } from "./device_query";

const PASSING_MS = 2_000;
const RESTING_MS = 10_000;

export interface Watched {
  /** Null: the ledger does not know it; undefined: not asked yet. */
  device: WholeDevice | null | undefined;
  at: Date;
  failure: Failure | undefined;
  look: () => void;
}

interface Seen {
  certid: string;
  device: WholeDevice | null;
  at: Date;
}

export function useDevice(certid: string, last: number): Watched {
  const [seen, setSeen] = useState<Seen | null>(null);
  const known = seen?.certid === certid ? seen : null;
  const everyMs = known?.device && isPassing(known.device) ? PASSING_MS : RESTING_MS;
  const [{ data, error }, again] = useLiveQuery({ query: DEVICE, variables: { certid, last } }, everyMs);

  // What was seen stays while more of its history is on the way, and when an answer fails.
  useEffect(() => {
    if (data && (data.device === null || data.device?.certid === certid))
      setSeen({ certid, device: data.device ?? null, at: new Date() });
  }, [data, certid]);

  return {
    device: known ? known.device : undefined,
    at: known?.at ?? new Date(),
    failure: error && failureOf(error),
    look: () => again({ requestPolicy: "network-only" }),
  };
}
