/** Claiming what was read, for the target that was picked; and why a device is not to be claimed again. */
import { ago } from "../../parts/moments";
import { keyOf } from "../../parts/target_names";
import type { FlowEvent } from "./flow";
import { madeOf } from "./queue/entry";
import { claimQueue, useClaims } from "./queue/use_claims";
import type { Choice } from "./use_choice";

/** Claims for the picked target: written down first, sent from there. */
export function useClaiming({ target, profile, person }: Choice, happen: (event: FlowEvent) => void) {
  return (certids: readonly string[]) => {
    if (!target) return;
    const { account, region } = target;
    const wishes = certids.map((certid) => ({ certid, target: { account, region }, profile }));
    claimQueue.add(wishes, person).then(
      () => happen({ is: "claimed", certids }),
      (error: unknown) =>
        happen({ is: "trouble", words: `This phone could not keep the claim; nothing was sent. ${error}` }),
    );
  };
}

/** Why a device is not to be claimed again: it was, just now. */
export function useObstacle({ person, target }: Choice): (certid: string) => string | null {
  const { entries } = useClaims();
  return (certid) => {
    const now = new Date();
    const made = target && madeOf(entries, { certid, target }, person, now);
    if (!made) return null;
    return `Claimed in this session already, ${ago(new Date(made.madeAt), now)}, for ${keyOf(made.target)}.`;
  };
}
