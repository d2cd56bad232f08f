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
export const UNAUTHENTICATED = "UNAUTHENTICATED";

const TITLES: Record<string, string> = {
  ALREADY_CLAIMED: "Already claimed",
  CHANGED_MEANWHILE: "Changed in the meantime",
  FORBIDDEN: "You don't have permission",
  INTERNAL: "Internal error in the lobby",
  CAMPAIGN_EXISTS: "The name is already in use",
  CANNOT_RENEW: "The client can't renew",
  ENROLMENT_EXISTS: "The name is already in use",
  ALREADY_UNDONE: "Already undone",
  AUTHOR_BLOCKED: "A user who created or approved it is blocked",
  ENROLMENT_REVOKED: "The enrolment is revoked",
  INCOMPLETE: "Something is missing",
  INVALID_ACCOUNT: "Invalid account",
  INVALID_ACTOR: "Invalid actor",
  INVALID_ALLOCATION: "Invalid claims",
  INVALID_CAMPAIGN: "Invalid name",
  INVALID_CANARY: "Invalid canary",
  INVALID_CODE: "Invalid code",
  INVALID_CONFIG: "Invalid config",
  INVALID_ENROLMENT: "Invalid name",
  INVALID_EVENT: "Invalid event",
  INVALID_FAILURE_RATE: "Invalid limit of failures",
  INVALID_FINGERPRINT: "Invalid fingerprint",
  INVALID_LABEL: "Invalid label code",
  INVALID_LIMIT: "Invalid limit",
  INVALID_MATCH: "Invalid conditions",
  INVALID_NAME_PATTERN: "Invalid pattern",
  INVALID_REASON: "Invalid reason",
  INVALID_REGION: "Invalid Region",
  INVALID_SIGNER: "Invalid CA",
  INVALID_TARGET: "Invalid target",
  INVALID_TIME: "Invalid time",
  INVALID_URL: "Invalid address",
  INVALID_USER: "Invalid user",
  INVALID_USES: "Invalid number of uses",
  INVALID_WEBHOOK: "Invalid webhook",
  NOT_ALLOWED: "Not possible in this state",
  LEASE_EXPIRED: "No Region accepts changes now",
  NOT_HOME: "This Region accepts no changes",
  NO_HOME: "No Region accepts changes now",
  NOT_TRIED: "Not attempted",
  OFFLINE: "No network",
  PRESENCE_FAILED: "Too many wrong codes",
  PRESENCE_REQUIRED: "The new target requires a presence code",
  RATE_LIMITED: "Too many claims",
  SECOND_PERSON_REQUIRED: "Another user has to approve it",
  TARGET_ARCHIVED: "The target is archived",
  TARGET_EVACUATED: "The target is evacuated",
  TARGET_IN_USE: "The target is in use",
  REVOKED: "This certificate is revoked",
  QUARANTINED: "This device is in quarantine",
  MANIFEST_MISSING: "The list of its devices is missing",
  NOT_SUSPECTED: "This device is not suspected",
  INVALID_POLICY: "Not a policy for copied certificates",
  UNAUTHENTICATED: "You're not signed in",
  UNKNOWN_DEVICE: "Unknown device",
  UNKNOWN_PROFILE: "Unknown profile",
  UNKNOWN_TARGET: "Unknown target",
  UNKNOWN_WEBHOOK: "Unknown webhook",
  UNREACHABLE: "Can't reach the lobby",
  USER_BLOCKED: "An admin has blocked you",
  WEBHOOK_DISABLED: "The webhook is disabled",
  WEBHOOK_INCOMPLETE: "The webhook is incomplete",
  WRONG_CODE: "Wrong code",
};

/** A short title for an error code; the code itself if it is unknown. */
export function titleOf(code: string): string {
  return TITLES[code] ?? (code.startsWith("HTTP_") ? "Request rejected" : code);
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
  const status = statusOf(error);
  if (status === 401)
    return { code: UNAUTHENTICATED, message: "Your session has ended. Sign in to continue." };
  if (status === undefined) return { code: "ERROR", message: error.networkError?.message ?? error.message };
  return {
    code: `HTTP_${status}`,
    message: "A gateway or proxy rejected the request before it reached the lobby. Contact an admin.",
  };
}

function statusOf(error: CombinedError): number | undefined {
  return (error.response as Response | undefined)?.status;
}

/** Whether it is unknown if the request reached the server. An idempotent request can then be sent again. */
export function isLostNetwork(error: CombinedError): boolean {
  const status = statusOf(error);
  // A successful response that is not GraphQL comes from the sign-in page of a Wi-Fi network.
  const foreign = status === undefined || status < 400;
  return Boolean(error.networkError) && (foreign || status === 429 || status >= 500);
}
