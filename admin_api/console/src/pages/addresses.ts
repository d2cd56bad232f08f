/** The addresses of the device list, with its filters, and of a device's page. */
import { keyOf, type TargetName } from "../parts/targets";

export interface DevicesFilter {
  state?: string;
  target?: TargetName;
  reason?: string;
  renewal?: "due" | "overdue";
}

/** `/devices?state=failed&target=123456789012%2Feu-west-1&reason=TARGET_ROLE_DENIED` */
export function devicesAddress({ state, target, reason, renewal }: DevicesFilter = {}): string {
  const search = new URLSearchParams();
  if (state) search.set("state", state);
  if (target) search.set("target", keyOf(target));
  if (reason) search.set("reason", reason);
  if (renewal) search.set("renewal", renewal);
  return search.size ? `/devices?${search}` : "/devices";
}

export function deviceAddress(certid: string): string {
  return `/devices/${certid}`;
}
