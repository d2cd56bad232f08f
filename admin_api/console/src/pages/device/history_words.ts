/** The history in words: what befell the device, by whom, from where to where. */
import { wordsOf } from "../../parts/state_badge";
import type { Entry } from "./device_query";

const EVENTS: Readonly<Record<string, string>> = {
  admit: "Let in",
  refuse: "Refused at the door",
  hello: "Said hello",
  claim: "Claimed",
  confirm: "Its code was confirmed",
  mismatch: "A wrong code was tried",
  commission: "Set up in its target",
  fail: "Could not be set up",
  arrive: "Arrived",
  move: "Moved",
  release: "Released",
  retry: "Tried again",
  retire: "Cleared up behind it",
  revoke: "Revoked",
  wake: "The commissioner was woken",
  deactivate: "Put out of use where no claim wants it",
};

/** What happened, for a person; the ledger's own word where it is new to us. */
export function eventWords({ event, reason, after }: Entry): string {
  if (event === "retire" && reason !== null) return "Could not be cleared up behind it";
  if (event === "retire" && after === "proving") return "Told its code";
  if (event === "retire" && after === "refused") return "May knock again";
  if (event === "retry" && after === "proving") return "Given a new code";
  return EVENTS[event] ?? event;
}

/** Whether a reason is a code; that of a revocation is what somebody wrote. */
export function isCode(reason: string): boolean {
  return /^[A-Z][A-Z0-9_]+$/.test(reason);
}

/** "service:commissioner" is "commissioner", "user:anna" is "anna". */
export function actorWords(actor: string): string {
  return actor.replace(/^(service|user):/, "");
}

/** "In the lobby → Claimed"; null where the state stayed. */
export function passageWords({ before, after }: Entry): string | null {
  if (before === after) return null;
  const from = before === null ? "Unknown" : wordsOf(before).label;
  const to = after === null ? "Forgotten" : wordsOf(after).label;
  return `${from} → ${to}`;
}

/** How long after the one before it, in ms; null for the first one that is known. `entries`: oldest first. */
export function waitBefore(entries: readonly Entry[], index: number): number | null {
  const [earlier, entry] = [entries[index - 1], entries[index]];
  return earlier && entry ? Date.parse(entry.at) - Date.parse(earlier.at) : null;
}
