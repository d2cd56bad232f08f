/** Changes previewed devices through the API, each in the generation that was shown, and reports progress. */
import { useCallback, useRef, useState } from "react";
import { useClient } from "urql";
import { failureOf, isLostNetwork } from "../../api/failures";
import { type BulkProgress, claimAll, type Outcome, type Sent } from "../waiting/bulk_claim";
import { useLeaveWarning } from "../waiting/use_bulk_claim";
import type { Change } from "./change";
import { CHANGE_DEVICES, type Previewed } from "./operations";

const PAUSE_MS = 1_000;

export interface BulkChange {
  /** Null: not started. */
  progress: BulkProgress | null;
  running: boolean;
  /** Stops after the current chunk. */
  stop: () => void;
  run: (devices: readonly Previewed[], change: Change) => Promise<readonly Outcome[]>;
}

export function useBulkChange(): BulkChange {
  const client = useClient();
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const [running, setRunning] = useState(false);
  const stopped = useRef(false);
  useLeaveWarning(running);

  const run = useCallback(
    async (devices: readonly Previewed[], change: Change) => {
      stopped.current = false;
      setProgress({ done: [], left: devices.length });
      setRunning(true);
      const generations = new Map(devices.map((each) => [each.certid, each.generation]));
      const send = async (chunk: readonly string[]): Promise<Sent> => {
        const sent = chunk.map((certid) => ({ certid, generation: generations.get(certid) ?? 0 }));
        const { data, error } = await client.mutation(CHANGE_DEVICES, { change, devices: sent }).toPromise();
        if (data) return { outcomes: data.changeDevices.results };
        if (!error)
          return { failure: { code: "ERROR", message: "The API returned no results." }, lost: true };
        return { failure: failureOf(error), lost: isLostNetwork(error) };
      };
      const outcomes = await claimAll([...generations.keys()], {
        send,
        onProgress: setProgress,
        pause: (attempted) => new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempted)),
        stopped: () => stopped.current,
      });
      setProgress({ done: outcomes, left: 0 });
      setRunning(false);
      return outcomes;
    },
    [client],
  );

  return {
    progress,
    running,
    stop: useCallback(() => {
      stopped.current = true;
    }, []),
    run,
  };
}
