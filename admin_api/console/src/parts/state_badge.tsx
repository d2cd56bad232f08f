/**
 * The device states: label, colour, icon and meaning. The icon is needed because colour alone is not
 * accessible.
 */
import { Badge } from "@mantine/core";
import {
  IconAlertTriangle,
  IconArrowsExchange,
  IconBan,
  IconCheck,
  IconDoor,
  IconHandStop,
  IconHourglass,
  IconKey,
  IconLock,
  IconPackage,
  IconPlaneDeparture,
  IconShieldX,
  IconTag,
} from "@tabler/icons-react";
import { CLONE_SUSPECTED } from "./reason_codes";

export interface StateInfo {
  label: string;
  color: string;
  /** One line that explains the state. */
  meaning: string;
  icon: typeof IconDoor;
}

/** In lifecycle order. */
export const STATES: Record<string, StateInfo> = {
  expected: { label: "Expected", color: "grape", meaning: "Claimed, not seen yet", icon: IconPackage },
  knocking: { label: "Connecting", color: "cyan", meaning: "Admitted, no hello yet", icon: IconDoor },
  inlobby: { label: "Waiting", color: "blue", meaning: "In the lobby, not claimed", icon: IconHourglass },
  proving: { label: "Needs code", color: "violet", meaning: "Waiting for its presence code", icon: IconKey },
  claimed: { label: "Claimed", color: "indigo", meaning: "Being set up in its target", icon: IconTag },
  commissioned: {
    label: "Commissioned",
    color: "teal",
    meaning: "Set up, on its way",
    icon: IconPlaneDeparture,
  },
  arrived: { label: "Arrived", color: "green", meaning: "Connected to its target", icon: IconCheck },
  failed: {
    label: "Failed",
    color: "red",
    meaning: "Setup failed; see the reason",
    icon: IconHandStop,
  },
  refused: {
    label: "Refused",
    color: "orange",
    meaning: "Its certificate was refused",
    icon: IconShieldX,
  },
  quarantined: {
    label: "Quarantined",
    color: "pink",
    meaning: "Deactivated until its quarantine is lifted",
    icon: IconLock,
  },
  transferred: {
    label: "Transferred",
    color: "dark",
    meaning: "Belongs to another lobby",
    icon: IconArrowsExchange,
  },
  revoked: { label: "Revoked", color: "gray", meaning: "Revoked permanently", icon: IconBan },
};

export function stateInfo(state: string): StateInfo {
  return STATES[state] ?? { label: state, color: "gray", meaning: state, icon: IconDoor };
}

/** The state for a badge. A suspected device is not shown as one that is in order. */
export function badgeInfo(state: string, reason?: string | null): StateInfo {
  const info = stateInfo(state);
  if (reason !== CLONE_SUSPECTED || state === "quarantined") return info;
  const [label, meaning] = [`${info.label}, suspected`, "Its certificate seems to be in use twice"];
  return { label, color: "yellow", meaning, icon: IconAlertTriangle };
}

interface Props {
  state: string;
  reason?: string | null;
  size?: "sm" | "md" | "lg";
}

export function StateBadge({ state, reason, size = "md" }: Props) {
  const { label, color, meaning, icon: Icon } = badgeInfo(state, reason);
  return (
    <Badge
      color={color}
      variant="light"
      size={size}
      tt="none"
      title={meaning}
      leftSection={<Icon size={14} aria-hidden />}
    >
      {label}
    </Badge>
  );
}
