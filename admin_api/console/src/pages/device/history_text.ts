/** Describes history entries: the event, the actor and the transition. */
import { stateInfo } from "../../parts/state_badge";
import type { Entry } from "./device_query";

const EVENTS: Readonly<Record<string, string>> = {
  admit: "Admitted",
  refuse: "Refused",
  hello: "Hello received",
  claim: "Claimed",
  confirm: "Presence code confirmed",
  mismatch: "Wrong presence code",
  commission: "Commissioned",
  fail: "Commissioning failed",
  arrive: "Arrived",
  move: "Moved",
  configure: "Configuration changed",
  release: "Released",
  retry: "Retried",
  retire: "Previous target cleared",
  revoke: "Revoked",
  wake: "Commissioner notified",
  deactivate: "Orphaned certificate deactivated",
  due: "Certificate due for renewal",
  renew: "New certificate signed",
  prepare: "To be registered in the standby",
  prepared: "Registered in the standby",
  evacuate: "Sent to the standby",
  standby: "Went to the standby by itself",
  return: "Brought back from the standby",
  suspect: "Suspected: its certificate seems to be in use twice",
  dismiss: "Suspicion dismissed",
  quarantine: "Put in quarantine",
  lift: "Quarantine lifted",
  offer: "Offered to another lobby",
  withdraw: "Transfer withdrawn",
  transfer: "Transferred to another lobby",
  accept: "Accepted from another lobby",
  limited: "Refused: too many claims or wrong codes",
  block: "Blocked",
  unblock: "Unblocked",
};

/** Return a description of the event; the ledger's own name if it is unknown. */
export function eventText({ event, reason, after }: Pick<Entry, "event" | "reason" | "after">): string {
  if (event === "deactivate" && reason === "TRANSFER_ENDED")
    return "Transfer over: certificate deactivated in this lobby";
  if (event === "retire" && isFingerprint(reason)) return "Old certificate retired";
  if (event === "due" && reason === "ASKED") return "Asked to renew its certificate";
  if (event === "arrive" && reason === "RENEWED") return "Arrived with its new certificate";
  if (event === "retire" && reason !== null) return "Previous target could not be cleared";
  if (event === "retire" && after === "proving") return "Presence code sent";
  if (event === "retire" && after === "refused") return "May connect again";
  if (event === "prepared" && reason?.startsWith("asked to leave"))
    return "Asked to leave the evacuated target";
  if (event === "prepared" && reason?.startsWith("announced in")) return "Standby announced in the target";
  if (event === "prepared" && reason?.startsWith("not announced in"))
    return "Standby not announced in the target";
  if (event === "prepared" && /^[A-Z]/.test(reason ?? "")) return "Not registered in the standby";
  if (event === "retry" && after === "proving") return "New presence code requested";
  return EVENTS[event] ?? event;
}

/** Whether a reason is the fingerprint of a certificate. */
function isFingerprint(reason: string | null): boolean {
  return reason !== null && /^[0-9a-f]{64}$/.test(reason);
}

/** Whether a reason is a code; the reason of a revocation is free text. */
export function isCode(reason: string): boolean {
  return /^[A-Z][A-Z0-9_]+$/.test(reason);
}

/** "service:commissioner" is "commissioner", "campaign:x" is "campaign x", "user:anna" is "anna". */
export function actorText(actor: string): string {
  return actor
    .replace(/^(service|user):/, "")
    .replace(/^campaign:/, "campaign ")
    .replace(/^rule:/, "enrolment ");
}

/** "Waiting → Claimed"; null if the state did not change. */
export function transitionText({ before, after }: Pick<Entry, "before" | "after">): string | null {
  if (before === after) return null;
  const from = before === null ? "Unknown" : stateInfo(before).label;
  const to = after === null ? "Removed" : stateInfo(after).label;
  return `${from} → ${to}`;
}

/** Milliseconds since the previous entry; null for the first. `entries`: oldest first. */
export function waitBefore(entries: readonly Entry[], index: number): number | null {
  const [earlier, entry] = [entries[index - 1], entries[index]];
  return earlier && entry ? Date.parse(entry.at) - Date.parse(earlier.at) : null;
}
