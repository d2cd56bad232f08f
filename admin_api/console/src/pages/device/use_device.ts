/** Polls one device: every 2 seconds while it is about to change, otherwise every 10. */
import { useEffect, useState } from "react";
import { type Failure, failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { DEVICE, type DeviceRecord, isTransient } from "./device_query";

const TRANSIENT_MS = 2_000;
const SETTLED_MS = 10_000;

export interface DeviceState {
  /** Null: not registered. Undefined: not loaded yet. */
  device: DeviceRecord | null | undefined;
  at: Date;
  failure: Failure | undefined;
  refresh: () => void;
}

interface Snapshot {
  certid: string;
  device: DeviceRecord | null;
  at: Date;
}

export function useDevice(certid: string, last: number): DeviceState {
  const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
  const current = snapshot?.certid === certid ? snapshot : null;
  const everyMs = current?.device && isTransient(current.device) ? TRANSIENT_MS : SETTLED_MS;
  const [{ data, error }, again] = useLiveQuery({ query: DEVICE, variables: { certid, last } }, everyMs);

  // The last data is kept while more history loads and when a request fails.
  useEffect(() => {
    if (data && (data.device === null || data.device?.certid === certid))
      setSnapshot({ certid, device: data.device ?? null, at: new Date() });
  }, [data, certid]);

  return {
    device: current ? current.device : undefined,
    at: current?.at ?? new Date(),
    failure: error && failureOf(error),
    refresh: () => again({ requestPolicy: "network-only" }),
  };
}
