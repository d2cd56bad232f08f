/**
 * The texts of a webhook: its events, and the results of its requests. docs/events.md lists the same
 * results.
 */
import { exact } from "../../parts/durations";
import { formatNumber, pluralize } from "../../parts/numbers";
import type { Delivery, Webhook } from "./operations";

/** Without the common prefix `device.`, as in docs/events.md. */
export const EVENT_NAMES = [
  "admit",
  "refuse",
  "hello",
  "claim",
  "confirm",
  "mismatch",
  "commission",
  "fail",
  "arrive",
  "move",
  "configure",
  "release",
  "retry",
  "retire",
  "revoke",
  "wake",
  "deactivate",
  "due",
  "renew",
  "prepare",
  "prepared",
  "evacuate",
  "return",
  "standby",
  "suspect",
  "dismiss",
  "quarantine",
  "lift",
  "offer",
  "withdraw",
  "transfer",
  "accept",
] as const;

export const RESULTS: Readonly<Record<string, string>> = {
  DELIVERED: "Delivered",
  REJECTED: "Rejected",
  REDIRECTED: "Redirected: enter the address that it redirects to",
  GONE: "Gone: the webhook was disabled",
  TIMEOUT: "No answer within 15 seconds",
  CONNECTION_FAILED: "No connection",
  TLS_FAILED: "No valid certificate for the host",
  BAD_RESPONSE: "The answer is not HTTP",
  NAME_NOT_RESOLVED: "The host name has no address",
  ADDRESS_NOT_PUBLIC: "The host has an address that is not public",
  INVALID_URL: "The address is no longer accepted",
  NO_SECRET: "The secret is missing: rotate it", // pragma: allowlist secret
  DISABLED: "Not sent: the webhook was disabled",
};

/** The results for which a webhook is disabled, without what happens then. */
const DISABLING: Readonly<Record<string, string>> = {
  ...RESULTS,
  GONE: "the receiver says that it is gone (HTTP 410)",
};

export function nameOf(type: string): string {
  return type.replace(/^device\./, "");
}

/** "Events: claim, arrive"; "All events". */
export function eventsOf({ events }: Webhook): string {
  return events.length === 0 ? "All events" : `Events: ${events.map(nameOf).join(", ")}`;
}

/** The state for its badge. An active webhook that accepts no request is not shown as one that is in order. */
export function stateOf({ state, failingSince }: Pick<Webhook, "state" | "failingSince">) {
  if (state !== "active") return { label: state, color: "red" };
  return failingSince ? { label: "active, failing", color: "yellow" } : { label: state, color: "green" };
}

/** The problems of the deliveries; empty if there are none. */
export function problemsOf({ state, reason, failingSince, undeliveredCount }: Webhook): string[] {
  return [
    ...(state === "disabled" ? [`Disabled: ${disabledBecause(reason)}`] : []),
    ...(failingSince ? [`Has accepted no request since ${exact(failingSince)}`] : []),
    ...(undeliveredCount > 0 ? [`${pluralize(undeliveredCount, "event")} undelivered`] : []),
  ];
}

/** "GONE: no request was accepted" begins with the result of the last request; a user's name is not a code. */
function disabledBecause(reason: string | null): string {
  if (reason === null) return "no reason recorded";
  const [code = "", ...rest] = reason.split(": ");
  const by = /^disabled by user:(.*)$/.exec(reason);
  if (by) return `by ${by[1]}`;
  const result = DISABLING[code];
  return result ? [result, ...rest].join("; ") : reason;
}

export function isDelivered({ result }: Delivery): boolean {
  return result === "DELIVERED";
}

/** "Rejected · HTTP 500 · attempt 2 · 130 ms". An unknown result is shown as it is. */
export function deliveryText({ result, status, attempt, milliseconds }: Delivery): string {
  return [
    RESULTS[result] ?? result,
    ...(status === null ? [] : [`HTTP ${status}`]),
    `attempt ${attempt}`,
    `${formatNumber(milliseconds)} ms`,
  ].join(" · ");
}
