/**
 * Describes the effect of an action on a device in its current state. Has one entry for every pair that the
 * ledger allows (`lobby/domain/states.py`); `tests/events/operator_actions.json` checks both.
 */
export type Action = StateAction | "renew" | "withdraw";
/** Depends on the state only. Renewing depends on the client, too, and withdrawing on an offer. */
type StateAction =
  | "claim"
  | "move"
  | "configure"
  | "release"
  | "retry"
  | "dismiss"
  | "quarantine"
  | "lift"
  | "revoke";
/** Includes the presence code, which is entered on the page without a dialog. */
export type OfferedAction = StateAction | "confirm";
/** A device's state; `absent`: the fingerprint is not registered. */
export type DeviceState =
  | "absent"
  | "expected"
  | "knocking"
  | "inlobby"
  | "proving"
  | "claimed"
  | "commissioned"
  | "arrived"
  | "failed"
  | "refused"
  | "revoked"
  | "quarantined"
  | "transferred";

const DISMISSED = "The suspicion is dismissed. The same evidence does not make the device suspected again.";
const INACTIVE =
  "Its certificate is deactivated in the lobby until the quarantine is lifted. It can't connect until then.";
const INACTIVE_IN_TARGET =
  "Its certificate is deactivated in the lobby and in {target} until the quarantine is lifted. It is disconnected and can't connect until then. Its claim stays.";

/** `{target}` is replaced by the target for which the device is claimed. */
export const CONSEQUENCES: Readonly<Record<OfferedAction, Partial<Record<DeviceState, string>>>> = {
  claim: {
    absent:
      "It is expected from now on. When it connects to the lobby, it is set up in the chosen target and sent there immediately.",
    knocking:
      "It is admitted but has not sent a hello. It is set up in the chosen target now, and sent there after its first hello.",
    inlobby:
      "It is set up in the chosen target and sent there immediately. It leaves the lobby within seconds.",
  },
  confirm: {
    proving:
      "Enter the code that the device shows to prove you are at the device. Then it is set up in {target} and sent there immediately.",
  },
  move: {
    proving:
      "Nothing is registered in {target} yet. It goes to the new target immediately, unless that target requires a presence code.",
    expected: "It was never seen, so nothing has to be cleared. Only its target changes.",
    claimed:
      "It is being set up in {target}. It is set up in the new target instead; then its registration in {target} is deactivated.",
    commissioned:
      "The new target is set up first. Then the device is sent there, and its certificate is deactivated in {target}.",
    arrived:
      "It keeps working in {target} until the new target is ready. Then it is sent there, and its certificate is deactivated in {target}. It is offline for a few seconds.",
    failed: "It is set up in the new target. Its failed registration in {target} is deactivated.",
  },
  configure: {
    expected: "It was never seen. It gets the new configuration when it connects.",
    proving:
      "It gets a new code, and the previous code becomes invalid. The new configuration is sent when the claim is confirmed.",
    claimed: "It is being set up in {target}. It gets the new configuration with its route.",
    commissioned: "It stays assigned to {target}. A new route with the new configuration is sent.",
    arrived:
      "It stays in {target}. A new route with the new configuration is sent there. It shows as claimed until it has reconnected.",
    failed: "Its setup in {target} is retried now, with the new configuration.",
  },
  release: {
    expected:
      "It never connected, so it is removed: it leaves the lists, and only its history is kept. If it connects later, it waits in the lobby.",
    proving:
      "The claim ends. Nothing is registered in {target} yet. It goes back to the lobby and waits for another claim.",
    claimed:
      "The claim ends and its registration in {target} is deactivated. It goes back to the lobby and waits for another claim.",
    commissioned:
      "The claim ends and its certificate is deactivated in {target}. It comes back to the lobby and waits for another claim.",
    arrived:
      "It is disconnected from {target}, and its certificate is deactivated there. It comes back to the lobby and waits for another claim.",
    failed:
      "The claim ends and its registration in {target} is deactivated. It goes back to the lobby and waits for another claim.",
    refused: "The claim ends. It stays refused. If it is admitted later, it waits in the lobby.",
  },
  retry: {
    inlobby: "Clearing its previous targets is retried. It stays in the lobby meanwhile.",
    proving:
      "It gets a new code, and the previous code becomes invalid. The number of attempts stays the same.",
    claimed: "Its setup in {target} starts again. Completed steps are not repeated.",
    commissioned:
      "It is set up in {target} again and its route is sent again. It shows as claimed meanwhile.",
    arrived:
      "It works, and a retry restarts it. It is set up in {target} again and its route is sent again. Its certificate stays active there. It shows as claimed until it has reconnected.",
    failed: "Its setup in {target} is retried now. If the cause is not repaired, it fails again.",
    refused:
      "AWS IoT deletes its certificate, so that it is examined again on its next connection. If the cause is not repaired, it is refused again.",
    revoked:
      "Its certificate is deactivated again in the lobby and in every target that has not been cleared. It stays revoked.",
    quarantined:
      "Its certificate is deactivated again in the lobby and in every target that has not been cleared. It stays in quarantine.",
    transferred:
      "Clearing its previous targets is retried, and it is sent to its new lobby again if it is connected here.",
  },
  dismiss: {
    knocking: DISMISSED,
    inlobby: DISMISSED,
    proving: DISMISSED,
    claimed: DISMISSED,
    commissioned: DISMISSED,
    arrived: DISMISSED,
    failed: DISMISSED,
  },
  quarantine: {
    knocking: INACTIVE,
    inlobby: INACTIVE,
    proving: INACTIVE,
    claimed: INACTIVE_IN_TARGET,
    commissioned: INACTIVE_IN_TARGET,
    arrived: INACTIVE_IN_TARGET,
    failed: INACTIVE_IN_TARGET,
  },
  lift: {
    quarantined:
      "Its certificate is activated again. It is set up in its target if it is claimed, and waits in the lobby otherwise. The same evidence does not make it suspected again.",
  },
  revoke: {
    absent:
      "This certificate is revoked before its first connection and will never be admitted. This is final.",
    expected:
      "This certificate is revoked before its first connection and will never be admitted. The claim ends. This is final.",
    knocking:
      "Its certificate is revoked and deactivated in the lobby. This is final: it is never admitted again.",
    inlobby:
      "Its certificate is revoked and deactivated in the lobby. This is final: it is never admitted again.",
    proving:
      "Its certificate is revoked and deactivated in the lobby, and the claim ends. This is final: it is never admitted again.",
    claimed:
      "Its certificate is revoked here and in {target}, where it is being set up. This is final: it is never admitted again.",
    commissioned:
      "Its certificate is revoked here and in {target}, its destination. This is final: it is never admitted again.",
    arrived:
      "Its certificate is revoked here and in {target}. It is disconnected there and stops working. This is final: it is never admitted again.",
    failed: "Its certificate is revoked here and in {target}. This is final: it is never admitted again.",
    quarantined:
      "Its certificate stays deactivated everywhere and is revoked. This is final: it is never admitted again.",
    transferred:
      "Its certificate is revoked in this lobby only, so it is not sent to its new lobby any more. This is final: it is never admitted again.",
    refused:
      "It is refused already. From now on it stays refused even if the cause is repaired. This is final.",
  },
};

const RENEWAL =
  "It is asked to renew its certificate, now and each day until it has. It leaves {target} for some seconds and returns with a new certificate. Both certificates work until then; after that the old one is deactivated. Its label stays valid.";

const WITHDRAWAL =
  "The offer is withdrawn, and the device stays in this lobby. An acceptance of this offer is refused: inform the other operator.";

/** Return the effect; undefined if the ledger does not allow the action. `target`: its display name. */
export function consequenceOf(
  action: OfferedAction | "renew" | "withdraw",
  state: string,
  target: string | null,
): string | undefined {
  if (action === "withdraw") return WITHDRAWAL;
  const text = action === "renew" ? RENEWAL : CONSEQUENCES[action][state as DeviceState];
  return text?.replaceAll("{target}", target ?? "its target");
}
