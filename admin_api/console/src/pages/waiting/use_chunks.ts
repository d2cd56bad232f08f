/**
 * The common part of bulk claims and bulk changes: chunks of devices that are sent one after the other, with
 * progress, a stop button, and a question before the page closes.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import type { CombinedError } from "urql";
import { failureOf, isLostNetwork } from "../../api/failures";
import { type BulkProgress, claimAll, type Outcome, type Sent } from "./bulk_claim";

const PAUSE_MS = 1_000;

export interface Chunks {
  /** Null: not started. */
  progress: BulkProgress | null;
  running: boolean;
  /** Stops after the current chunk. */
  stop: () => void;
  reset: () => void;
  /** Sends the devices of all batches, one batch after the other. */
  run: (batches: readonly Batch[]) => Promise<readonly Outcome[]>;
}

/** Devices that are sent in the same way. */
export interface Batch {
  certids: readonly string[];
  send: (chunk: readonly string[]) => Promise<Sent>;
}

export function useChunks(): Chunks {
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const [running, setRunning] = useState(false);
  const stopped = useRef(false);
  useLeaveWarning(running);

  const run = useCallback(async (batches: readonly Batch[]) => {
    stopped.current = false;
    let left = batches.reduce((sum, { certids }) => sum + certids.length, 0);
    const outcomes: Outcome[] = [];
    setProgress({ done: [], left });
    setRunning(true);
    for (const { certids, send } of batches) {
      left -= certids.length;
      const batch = await claimAll(certids, {
        send,
        onProgress: (now) => setProgress({ done: [...outcomes, ...now.done], left: now.left + left }),
        pause: (attempted) => new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempted)),
        stopped: () => stopped.current,
      });
      outcomes.push(...batch);
    }
    setProgress({ done: outcomes, left: 0 });
    setRunning(false);
    return outcomes;
  }, []);

  return {
    progress,
    running,
    stop: useCallback(() => {
      stopped.current = true;
    }, []),
    reset: useCallback(() => setProgress(null), []),
    run,
  };
}

/** Returns the response of a mutation for a chunk: the results, or the failure. */
export function sentOf(results: readonly Outcome[] | undefined, error: CombinedError | undefined): Sent {
  if (results) return { outcomes: results };
  if (!error) return { failure: { code: "ERROR", message: "The API returned no results." }, lost: true };
  return { failure: failureOf(error), lost: isLostNetwork(error) };
}

/** Makes the browser ask before the page closes while many devices are claimed or changed. */
function useLeaveWarning(running: boolean): void {
  useEffect(() => {
    if (!running) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [running]);
}
