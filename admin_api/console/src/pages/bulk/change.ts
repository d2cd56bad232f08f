/** A change of many devices: its variables, its texts, and the summary of a preview. */
import { type ClaimRequest, configError, configOf, variablesOf } from "../../parts/claim_request";
import { formatNumber, pluralize } from "../../parts/numbers";
import { type ShadowChoice, shadowVariables } from "../../parts/shadow_choice";
import type { Previewed } from "./operations";

export type BulkAction = "move" | "configure" | "release" | "retry" | "renew" | "revoke";

/** The API's limit of a reason. */
export const MAX_WHY = 200;

interface ActionText {
  /** The operation for one device, which the role must permit. */
  operation: string;
  label: string;
  /** The effect on each changed device. */
  effect: string;
}

/** In display order. */
export const ACTIONS: Readonly<Record<BulkAction, ActionText>> = {
  move: {
    operation: "moveDevice",
    label: "Move",
    effect:
      "Each device is set up in the new target first. Then it is sent there, and its certificate is deactivated in the old one.",
  },
  configure: {
    operation: "configureDevice",
    label: "Configure",
    effect:
      "The devices keep their target and get the new profile or config with a new route. They show as claimed until they have reconnected.",
  },
  release: {
    operation: "releaseDevice",
    label: "Release",
    effect:
      "The claims end. The devices return to the lobby, and their certificates are deactivated in their targets. Devices that never connected are removed.",
  },
  retry: {
    operation: "retryDevice",
    label: "Retry",
    effect:
      "The set-up that failed or did not finish starts again. Devices that work in their target are set up there again and reconnect.",
  },
  renew: {
    operation: "renewDevice",
    label: "Renew",
    effect:
      "The devices are asked to renew their certificates, now and each day until they have. Both certificates work until then. Devices whose client cannot renew are refused.",
  },
  revoke: {
    operation: "revokeDevice",
    label: "Revoke",
    effect:
      "The certificates are revoked in the lobby and in every target, and the devices stop working. This is final.",
  },
};

export interface Draft {
  request: ClaimRequest;
  why: string;
  shadows?: ShadowChoice;
}

/** The API's `ChangeInput`; undefined while something is missing or invalid. */
export function changeOf(action: BulkAction, { request, why, shadows = "LEAVE" }: Draft) {
  if (action === "release") return { operation: "RELEASE" as const };
  if (action === "retry") return { operation: "RETRY" as const };
  if (action === "renew") return { operation: "RENEW" as const };
  if (action === "configure") return configurationOf(request);
  if (action === "revoke") {
    const reason = why.trim();
    return reason.length > 0 && reason.length <= MAX_WHY
      ? { operation: "REVOKE" as const, why: reason }
      : undefined;
  }
  const variables = variablesOf(request);
  return variables && { operation: "MOVE" as const, ...variables, ...shadowVariables(shadows) };
}

/** At least one of profile and config; the other one stays as it is. */
function configurationOf(request: ClaimRequest) {
  const profile = request.profile?.trim();
  if (configError(request) !== undefined || (!profile && request.kind === "unset")) return undefined;
  return {
    operation: "CONFIGURE" as const,
    ...(profile ? { profile } : {}),
    ...(request.kind === "unset" ? {} : { config: configOf(request) }),
  };
}

export type Change = NonNullable<ReturnType<typeof changeOf>>;

export interface Summary {
  changing: readonly Previewed[];
  unchanged: number;
  refused: readonly Previewed[];
}

export function summaryOf(devices: readonly Previewed[]): Summary {
  return {
    changing: devices.filter((each) => each.changes),
    unchanged: devices.filter((each) => each.ok && !each.changes).length,
    refused: devices.filter((each) => !each.ok),
  };
}

/** "212 devices will be changed · 3 already as requested · 2 refused". */
export function summaryText({ changing, unchanged, refused }: Summary): string {
  return [
    `${pluralize(changing.length, "device")} will be changed`,
    ...(unchanged > 0 ? [`${formatNumber(unchanged)} already as requested`] : []),
    ...(refused.length > 0 ? [`${formatNumber(refused.length)} refused`] : []),
  ].join(" · ");
}
