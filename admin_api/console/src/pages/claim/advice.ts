/** What a technician can do about a claim that did not go through, in one line; and the words for an operator. Pure. */
import { shortForm } from "../../label/short_form";
import { keyOf, type TargetName } from "../../parts/target_names";

const ADVICE: Record<string, string> = {
  ALREADY_CLAIMED: "An operator can move it to another target, or release it.",
  CHANGED_MEANWHILE: "Try again.",
  FORBIDDEN: "Pick another target, or ask an admin to let you claim for this one.",
  INTERNAL: "Try again. If it stays so, tell an operator.",
  NOT_ALLOWED: "Tell an operator.",
  PRESENCE_FAILED: "Try again after ten minutes, with the device before you.",
  REVOKED: "Put the device aside and tell an operator.",
  UNKNOWN_PROFILE: "Pick another profile, or tell an admin.",
  UNKNOWN_TARGET: "Pick another target, or ask an admin to register this one.",
};

/** For a claim that was refused with `code`. */
export function adviceFor(code: string): string {
  return ADVICE[code] ?? "Try again. If it stays so, tell an operator.";
}

export interface Trouble {
  certid: string;
  name?: string | null;
  target: TargetName;
  code: string;
  message: string;
}

/** Everything that an operator asks for, to be sent by whatever means there is. */
export function wordsForOperator({ certid, name, target, code, message }: Trouble, origin: string): string {
  return [
    `Device ${shortForm(certid)}${name ? ` (${name})` : ""} for ${keyOf(target)}: ${code}`,
    message,
    `${origin}/devices/${certid}`,
  ].join("\n");
}

/** `user:ada` as people say it; other actors are parts of the lobby. */
export function personOf(actor: string | null | undefined): string {
  if (!actor) return "somebody";
  return actor.startsWith("user:") ? actor.slice("user:".length) : actor;
}
