/** Claims the selected devices through the API and reports progress. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { failureOf, isLostNetwork } from "../../api/failures";
import { graphql } from "../../api/graphql";
import type { ClaimVariables } from "../../parts/claim_request";
import { type BulkProgress, claimAll, type Outcome, type Sent } from "./bulk_claim";
import type { Group } from "./list_groups";

export const CLAIM_DEVICES = graphql(`
  mutation ClaimDevices($certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {
    claimDevices(certids: $certids, target: $target, profile: $profile, config: $config) {
      results { certid ok code message }
    }
  }
`);

const PAUSE_MS = 1_000;

export interface BulkClaim {
  /** Null: not started. */
  progress: BulkProgress | null;
  running: boolean;
  /** Stops after the current chunk. */
  stop: () => void;
  /** Claims the devices of all groups, one group after the other. */
  run: (groups: readonly Group[]) => Promise<readonly Outcome[]>;
  reset: () => void;
}

export function useBulkClaim(): BulkClaim {
  const client = useClient();
  const [progress, setCourse] = useState<BulkProgress | null>(null);
  const [running, setRunning] = useState(false);
  const stopped = useRef(false);
  useLeaveWarning(running);

  const run = useCallback(
    async (groups: readonly Group[]) => {
      stopped.current = false;
      let left = groups.reduce((sum, { certids }) => sum + certids.length, 0);
      const outcomes: Outcome[] = [];
      setCourse({ done: [], left });
      setRunning(true);
      const send = async (chunk: readonly string[], request: ClaimVariables): Promise<Sent> => {
        const { data, error } = await client
          .mutation(CLAIM_DEVICES, { certids: [...chunk], ...request })
          .toPromise();
        if (data) return { outcomes: data.claimDevices.results };
        if (!error)
          return { failure: { code: "ERROR", message: "The API returned no results." }, lost: true };
        return { failure: failureOf(error), lost: isLostNetwork(error) };
      };
      for (const { certids, request } of groups) {
        left -= certids.length;
        const group = await claimAll(certids, {
          send: (chunk) => send(chunk, request),
          onProgress: (course) =>
            setCourse({ done: [...outcomes, ...course.done], left: course.left + left }),
          pause: (attempted) => new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempted)),
          stopped: () => stopped.current,
        });
        outcomes.push(...group);
      }
      setCourse({ done: outcomes, left: 0 });
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
    reset: useCallback(() => setCourse(null), []),
  };
}

/** Makes the browser ask before the page closes while many devices are claimed or changed. */
export function useLeaveWarning(running: boolean): void {
  useEffect(() => {
    if (!running) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [running]);
}
