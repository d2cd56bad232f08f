/** Advice for a technician about a rejected claim, and a message for an operator. Pure. */
import { shortForm } from "../../label/short_form";
import { keyOf, type TargetName } from "../../parts/target_names";

const ADVICE: Record<string, string> = {
  ALREADY_CLAIMED: "An operator can move it to another target, or release it.",
  CHANGED_MEANWHILE: "Try again.",
  FORBIDDEN: "Choose another target, or ask an admin for permission to claim for this one.",
  INTERNAL: "Try again. If the error persists, contact an operator.",
  NOT_ALLOWED: "Contact an operator.",
  PRESENCE_FAILED: "Try again after ten minutes, at the device.",
  RATE_LIMITED: "Wait for the time in the message, then try again. An admin sees the refusal.",
  REVOKED: "Put the device aside and contact an operator.",
  UNKNOWN_PROFILE: "Choose another profile, or ask an admin.",
  UNKNOWN_TARGET: "Choose another target, or ask an admin to register this one.",
  USER_BLOCKED: "An admin has blocked you. Contact an admin.",
};

/** Return advice for a claim that was rejected with `code`. */
export function adviceFor(code: string): string {
  return ADVICE[code] ?? "Try again. If the error persists, contact an operator.";
}

export interface Rejection {
  certid: string;
  name?: string | null;
  target: TargetName;
  code: string;
  message: string;
}

/** Return everything an operator needs, as text to send by any means. */
export function operatorMessage({ certid, name, target, code, message }: Rejection, origin: string): string {
  return [
    `Device ${shortForm(certid)}${name ? ` (${name})` : ""} for ${keyOf(target)}: ${code}`,
    message,
    `${origin}/devices/${certid}`,
  ].join("\n");
}

/** `user:ada` becomes `ada`; other actors are parts of the lobby. */
export function actorName(actor: string | null | undefined): string {
  if (!actor) return "someone";
  return actor.startsWith("user:") ? actor.slice("user:".length) : actor;
}
