/** The states of a device: each with its words, its colour and an icon, since a colour alone tells not everybody. */
import { Badge } from "@mantine/core";
import {
  IconBan,
  IconCheck,
  IconDoor,
  IconHandStop,
  IconHourglass,
  IconKey,
  IconPackage,
  IconPlaneDeparture,
  IconShieldX,
  IconTag,
} from "@tabler/icons-react";

export interface StateWords {
  label: string;
  color: string;
  /** One line for somebody who sees the word for the first time. */
  meaning: string;
  icon: typeof IconDoor;
}

/** In the order of a device's life. */
export const STATES: Record<string, StateWords> = {
  expected: { label: "Expected", color: "grape", meaning: "Claimed, never seen", icon: IconPackage },
  knocking: { label: "Knocking", color: "cyan", meaning: "Let in, no hello yet", icon: IconDoor },
  inlobby: { label: "In the lobby", color: "blue", meaning: "Waits for a claim", icon: IconHourglass },
  proving: { label: "Proving", color: "violet", meaning: "Waits for the code that it shows", icon: IconKey },
  claimed: { label: "Claimed", color: "indigo", meaning: "Being set up in its target", icon: IconTag },
  commissioned: {
    label: "Commissioned",
    color: "teal",
    meaning: "Set up; on its way",
    icon: IconPlaneDeparture,
  },
  arrived: { label: "Arrived", color: "green", meaning: "Connected where it belongs", icon: IconCheck },
  failed: {
    label: "Failed",
    color: "red",
    meaning: "The target refused it; see the reason",
    icon: IconHandStop,
  },
  refused: {
    label: "Refused",
    color: "orange",
    meaning: "Its certificate was not let in",
    icon: IconShieldX,
  },
  revoked: { label: "Revoked", color: "gray", meaning: "Banned for good", icon: IconBan },
};

export function wordsOf(state: string): StateWords {
  return STATES[state] ?? { label: state, color: "gray", meaning: state, icon: IconDoor };
}

export function StateBadge({ state, size = "md" }: { state: string; size?: "sm" | "md" | "lg" }) {
  const { label, color, meaning, icon: Icon } = wordsOf(state);
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
