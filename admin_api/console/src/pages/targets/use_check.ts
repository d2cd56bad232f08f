/**
 * Checks a target. A check makes calls in another account for several seconds, so its start and duration are
 * tracked.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import type { TargetName } from "../../parts/targets";
import { CHECK_TARGET, type Checked } from "./operations";

export interface Outcome {
  result: Checked;
  at: Date;
  tookMs: number;
}

export type Check =
  | { is: "running"; since: Date }
  | { is: "done"; outcome: Outcome }
  | { is: "failed"; failure: Failure };

/** Checks immediately and whenever `again` is called; `onDone` receives each result. */
export function useCheck(target: TargetName, onDone: (outcome: Outcome) => void): [Check, () => void] {
  const client = useClient();
  const [check, setCheck] = useState<Check>({ is: "running", since: new Date() });
  const latest = useRef(onDone);
  useEffect(() => {
    latest.current = onDone;
  });

  const { account, region } = target;
  const run = useCallback(async () => {
    const since = new Date();
    setCheck({ is: "running", since });
    const request = client.query(CHECK_TARGET, { account, region }, { requestPolicy: "network-only" });
    const { data, error } = await request.toPromise();
    if (error || !data) {
      const failure = error ? failureOf(error) : { code: "ERROR", message: "The API returned no findings." };
      return setCheck({ is: "failed", failure });
    }
    const at = new Date();
    const outcome = { result: data.checkTarget, at, tookMs: at.getTime() - since.getTime() };
    latest.current(outcome);
    setCheck({ is: "done", outcome });
  }, [client, account, region]);

  useEffect(() => void run(), [run]);
  return [check, () => void run()];
}
