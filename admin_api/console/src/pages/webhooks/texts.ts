/**
 * The texts of a webhook: its events, and the results of its requests. docs/events.md lists the same
 * results.
 */
import { exact } from "../../parts/durations";
import { pluralize } from "../../parts/numbers";
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

export function nameOf(type: string): string {
  return type.replace(/^device\./, "");
}

/** "Events: claim, arrive"; "All events". */
export function eventsOf({ events }: Webhook): string {
  return events.length === 0 ? "All events" : `Events: ${events.map(nameOf).join(", ")}`;
}

/** The problems of the deliveries; empty if there are none. */
export function problemsOf({ state, reason, failingSince, undeliveredCount }: Webhook): string[] {
  return [
    ...(state === "disabled" ? [`Disabled: ${reason ?? "no reason recorded"}`] : []),
    ...(failingSince ? [`Has accepted no request since ${exact(failingSince)}`] : []),
    ...(undeliveredCount > 0 ? [`${pluralize(undeliveredCount, "event")} undelivered`] : []),
  ];
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
    `${milliseconds} ms`,
  ].join(" · ");
}
