/**
 * What an action will do to a device in the state it is in, in plain words: shown before it is done. One entry for every
 * pair that the ledger allows (`lobby/domain/states.py`); `tests/events/operator_actions.json` holds both to it.
 */
export type Action = "claim" | "move" | "release" | "retry" | "revoke";
/** What is typed on the page itself, without a dialog, is one more thing that may be done. */
export type Deed = Action | "confirm";
/** A device's state; `absent`: a fingerprint that the ledger does not know. */
export type Standing =
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
  | "revoked";

/** `{target}` stands for the target that the device is claimed for now. */
export const CONSEQUENCES: Readonly<Record<Deed, Partial<Record<Standing, string>>>> = {
  claim: {
    absent:
      "It is expected from now on. When it is powered on and knocks, it is set up in the target you choose and sent there at once.",
    knocking:
      "It has been let in, but has not spoken yet. It is set up in the target you choose now, and sent there as soon as it says hello.",
    inlobby:
      "It is set up in the target you choose now and sent there at once; it leaves the lobby within seconds.",
  },
  confirm: {
    proving:
      "With the code that it shows now, you say that you stand before it. Then it is set up in {target} and sent there at once.",
  },
  move: {
    proving:
      "Nothing of it is in {target} yet. It goes to the new place at once, where that asks for no code.",
    expected: "It was never seen, so nothing has to be undone: only where it will be sent changes.",
    claimed:
      "It is being set up in {target} just now. It is set up in the new place instead; then what was made in {target} is put out of use.",
    commissioned:
      "The new place is made ready first. Then the device is told to go there, and its certificate is put out of use in {target}.",
    arrived:
      "It works on in {target} until the new place is ready. Then it is told to go there, and its certificate is put out of use in {target}. It is disconnected for some seconds.",
    failed: "It is set up in the new place. What was made in {target}, which failed, is put out of use.",
  },
  release: {
    expected:
      "It was never seen, so it is forgotten: it leaves the lists, and only its history stays. When it knocks one day, it waits in the lobby like any other.",
    proving:
      "The claim is taken back. Nothing of it is in {target} yet: it goes back to the lobby and waits for another claim.",
    claimed:
      "The claim is taken back and what was made in {target} is put out of use. It goes back to the lobby and waits for another claim.",
    commissioned:
      "The claim is taken back and its certificate is put out of use in {target}. It comes back to the lobby and waits for another claim.",
    arrived:
      "It is disconnected from {target}, where its certificate is put out of use. It comes back to the lobby and waits for another claim.",
    failed:
      "The claim is taken back and what was made in {target} is put out of use. It goes back to the lobby and waits for another claim.",
    refused:
      "The claim is dropped. It stays refused; if it is let in one day, it waits in the lobby like any other.",
  },
  retry: {
    inlobby: "Clearing the targets that it has left is tried once more. It waits on in the lobby meanwhile.",
    proving: "It is given a new code; the one before counts no more. There are no more tries by it.",
    claimed:
      "Setting it up in {target} begins once more, from the start. What is done already is not done twice.",
    commissioned:
      "It is set up in {target} once more and told its route again. It shows as claimed until that is done.",
    arrived:
      "It is set up in {target} once more and told its route again; its certificate stays in use there. It shows as claimed until it has connected anew.",
    failed: "Setting it up in {target} is tried again now. If the reason is not mended, it fails again.",
    refused:
      "AWS IoT forgets its certificate, so that it is examined anew when it next knocks. If the reason is not mended, it is refused again.",
    revoked:
      "Its certificate is once more put out of use in the lobby and in every target that has not been cleared yet. It stays banned.",
  },
  revoke: {
    absent: "This certificate is banned before it was ever seen: it will never be let in. This is final.",
    expected:
      "This certificate is banned before it was ever seen: it will never be let in, and the claim ends. This is final.",
    knocking:
      "Its certificate is banned and it is shut out of the lobby. This is final: it is never let in again.",
    inlobby:
      "Its certificate is banned and it is shut out of the lobby. This is final: it is never let in again.",
    proving:
      "Its certificate is banned and it is shut out of the lobby, and the claim ends. This is final: it is never let in again.",
    claimed:
      "Its certificate is banned, here and in {target}, where it is being set up. This is final: it is never let in again.",
    commissioned:
      "Its certificate is banned, here and in {target}, where it was to go. This is final: it is never let in again.",
    arrived:
      "Its certificate is banned, here and in {target}: it is disconnected there and stops working. This is final: it is never let in again.",
    failed: "Its certificate is banned, here and in {target}. This is final: it is never let in again.",
    refused: "It is outside already; from now on it stays there whatever is mended. This is final.",
  },
};

/** What will happen; undefined where the ledger does not allow it. `target`: what the person knows it by. */
export function consequenceOf(action: Deed, state: string, target: string | null): string | undefined {
  const words = CONSEQUENCES[action][state as Standing];
  return words?.replaceAll("{target}", target ?? "its target");
}
