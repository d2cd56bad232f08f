/**
 * Converts a failed request to a message: the API's stable error code and its message ("got X, want Y"), or a
 * network failure. An error without a code comes from the network or the gateway.
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
  CHANGED_MEANWHILE: "Changed in the meantime",
  FORBIDDEN: "You don't have permission",
  INTERNAL: "Internal error in the lobby",
  INVALID_CODE: "Invalid code",
  INVALID_CONFIG: "Invalid config",
  INVALID_FINGERPRINT: "Invalid fingerprint",
  INVALID_LABEL: "Invalid label code",
  INVALID_TARGET: "Invalid target",
  NOT_ALLOWED: "Not possible in this state",
  NOT_TRIED: "Not attempted",
  OFFLINE: "No network",
  PRESENCE_FAILED: "Too many wrong codes",
  PRESENCE_REQUIRED: "The new target requires a presence code",
  REVOKED: "This certificate is revoked",
  UNAUTHENTICATED: "You're not signed in",
  UNKNOWN_DEVICE: "Unknown device",
  UNKNOWN_PROFILE: "Unknown profile",
  UNKNOWN_TARGET: "Unknown target",
  UNREACHABLE: "Can't reach the lobby",
  WRONG_CODE: "Wrong code",
};

/** A short title for an error code; the code itself if it is unknown. */
export function titleOf(code: string): string {
  return TITLES[code] ?? code;
}

/** The first failure in a response. */
export function failureOf(error: CombinedError): Failure {
  const first = error.graphQLErrors[0];
  if (first) {
    const { code, correlationId } = first.extensions as { code?: string; correlationId?: string };
    return { code: code ?? "ERROR", message: first.message, ...(correlationId ? { correlationId } : {}) };
  }
  if (isLostNetwork(error)) {
    return navigator.onLine
      ? { code: UNREACHABLE, message: "The lobby did not respond. Nothing was lost. Try again in a moment." }
      : { code: OFFLINE, message: "You're offline. Try again when the network is back." };
  }
  const status = (error.response as Response | undefined)?.status;
  return { code: status ? `HTTP_${status}` : "ERROR", message: error.networkError?.message ?? error.message };
}

/** Whether the request may not have reached the server, so that an idempotent request can be sent again. */
export function isLostNetwork(error: CombinedError): boolean {
  const status = (error.response as Response | undefined)?.status;
  return Boolean(error.networkError) && (status === undefined || status === 429 || status >= 500);
}
