/**
 * What went wrong, for a person: the API's stable code, its words ("got X, want Y"), and whether it was the network.
 * A failure without a code is the network's or the gateway's; nothing else is made up.
 */
import type { CombinedError } from "@urql/core";

export interface Failure {
  code: string;
  message: string;
  correlationId?: string;
}

export const OFFLINE = "OFFLINE";
export const UNREACHABLE = "UNREACHABLE";

const TITLES: Record<string, string> = {
  ALREADY_CLAIMED: "Already claimed",
  CHANGED_MEANWHILE: "It changed meanwhile",
  FORBIDDEN: "You may not do this",
  INTERNAL: "Something went wrong in the lobby",
  INVALID_CODE: "Not a code",
  INVALID_CONFIG: "The config is not valid",
  INVALID_FINGERPRINT: "Not a fingerprint",
  INVALID_LABEL: "The code has a typing mistake",
  INVALID_TARGET: "Not a target",
  NOT_ALLOWED: "Not possible in this state",
  NOT_TRIED: "There was no time left for it",
  OFFLINE: "No network",
  PRESENCE_FAILED: "Too many wrong codes",
  PRESENCE_REQUIRED: "Its new target asks for its code",
  REVOKED: "This certificate is banned",
  UNAUTHENTICATED: "You are not signed in",
  UNKNOWN_DEVICE: "No such device",
  UNKNOWN_PROFILE: "No such profile",
  UNKNOWN_TARGET: "No such target",
  UNREACHABLE: "The lobby does not answer",
  WRONG_CODE: "That is not the code that it shows",
};

/** A short title for a code; the code itself where we have no better words. */
export function titleOf(code: string): string {
  return TITLES[code] ?? code;
}

/** The first failure in an answer. */
export function failureOf(error: CombinedError): Failure {
  const first = error.graphQLErrors[0];
  if (first) {
    const { code, correlationId } = first.extensions as { code?: string; correlationId?: string };
    return { code: code ?? "ERROR", message: first.message, ...(correlationId ? { correlationId } : {}) };
  }
  if (isLostNetwork(error)) {
    return navigator.onLine
      ? { code: UNREACHABLE, message: "It did not answer. Nothing was lost; try again in a moment." }
      : { code: OFFLINE, message: "This device has no network. Try again when it is back." };
  }
  const status = (error.response as Response | undefined)?.status;
  return { code: status ? `HTTP_${status}` : "ERROR", message: error.networkError?.message ?? error.message };
}

/** Whether the request may never have arrived: to be sent again, where that does no harm. */
export function isLostNetwork(error: CombinedError): boolean {
  const status = (error.response as Response | undefined)?.status;
  return Boolean(error.networkError) && (status === undefined || status === 429 || status >= 500);
}
