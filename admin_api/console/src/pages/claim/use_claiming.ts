/** Claims scanned devices for the chosen target, and explains why a device is not claimed again. */

import { serverClock } from "../../clock/server_clock";
import { keyOf } from "../../parts/target_names";
import { ago } from "../../parts/time";
import type { FlowEvent } from "./flow";
import { existingClaim } from "./queue/entry";
import { claimQueue, useClaims } from "./queue/use_claims";
import type { Choice } from "./use_choice";

/** Queues claims for the chosen target. */
export function useClaiming({ target, profile, user }: Choice, dispatch: (event: FlowEvent) => void) {
  return (certids: readonly string[]) => {
    if (!target) return;
    const { account, region } = target;
    const claims = certids.map((certid) => ({ certid, target: { account, region }, profile }));
    claimQueue.add(claims, user).then(
      () => dispatch({ is: "claimed", certids }),
      (error: unknown) =>
        dispatch({ is: "error", text: `This phone can't store the claim, so it was not sent. ${error}` }),
    );
  };
}

/** Return why a device is not claimed again: it was claimed recently. */
export function useObstacle({ user, target }: Choice): (certid: string) => string | null {
  const { entries } = useClaims();
  return (certid) => {
    const now = new Date(serverClock.now());
    const made = target && existingClaim(entries, { certid, target }, user, now);
    if (!made) return null;
    return `Already claimed in this session, ${ago(new Date(made.madeAt), now)}, for ${keyOf(made.target)}.`;
  };
}
