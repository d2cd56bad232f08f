/** Claims the selected devices through the API, and says how far it has come. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { failureOf, isLostNetwork } from "../../api/failures";
import { graphql } from "../../api/graphql";
import type { WishVariables } from "../../parts/wish";
import { type Course, claimAll, type Outcome, type Sent } from "./bulk_claim";

export const CLAIM_DEVICES = graphql(`
  mutation ClaimDevices($certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {
    claimDevices(certids: $certids, target: $target, profile: $profile, config: $config) {
      results { certid ok code message }
    }
  }
`);

const PAUSE_MS = 1_000;

export interface BulkClaim {
  /** Null: not begun. */
  course: Course | null;
  running: boolean;
  /** Ends after the devices that are being claimed now. */
  stop: () => void;
  run: (certids: readonly string[], wish: WishVariables) => Promise<readonly Outcome[]>;
  reset: () => void;
}

export function useBulkClaim(): BulkClaim {
  const client = useClient();
  const [course, setCourse] = useState<Course | null>(null);
  const [running, setRunning] = useState(false);
  const stopped = useRef(false);
  useLeaveWarning(running);

  const run = useCallback(
    async (certids: readonly string[], wish: WishVariables) => {
      stopped.current = false;
      setCourse({ done: [], left: certids.length });
      setRunning(true);
      const send = async (chunk: readonly string[]): Promise<Sent> => {
        const { data, error } = await client
          .mutation(CLAIM_DEVICES, { certids: [...chunk], ...wish })
          .toPromise();
        if (data) return { outcomes: data.claimDevices.results };
        if (!error) return { failure: { code: "ERROR", message: "got no answer, want results" }, lost: true };
        return { failure: failureOf(error), lost: isLostNetwork(error) };
      };
      const outcomes = await claimAll(certids, {
        send,
        onProgress: setCourse,
        pause: (tried) => new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tried)),
        stopped: () => stopped.current,
      });
      setCourse({ done: outcomes, left: 0 });
      setRunning(false);
      return outcomes;
    },
    [client],
  );

  return {
    course,
    running,
    stop: useCallback(() => {
      stopped.current = true;
    }, []),
    run,
    reset: useCallback(() => setCourse(null), []),
  };
}

/** The browser asks before the page is closed in the middle of it. */
function useLeaveWarning(running: boolean): void {
  useEffect(() => {
    if (!running) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [running]);
}
