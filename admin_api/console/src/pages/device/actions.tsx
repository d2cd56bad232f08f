/** Buttons for the actions that are possible now. Each opens a dialog that explains the effect. */
import { Button, Group } from "@mantine/core";
import {
  IconArrowBackUp,
  IconArrowsMove,
  IconBan,
  IconCertificate,
  IconDoorExit,
  IconLock,
  IconLockOpen,
  IconQrcode,
  IconRefresh,
  IconSettings,
  IconUserCheck,
  type TablerIcon,
} from "@tabler/icons-react";
import type { Action } from "./consequences";

/** In display order. */
const ACTIONS: Readonly<Record<Action, { operation: string; label: string; icon: TablerIcon }>> = {
  claim: { operation: "claimDevice", label: "Claim", icon: IconQrcode },
  move: { operation: "moveDevice", label: "Move", icon: IconArrowsMove },
  configure: { operation: "configureDevice", label: "Change config", icon: IconSettings },
  release: { operation: "releaseDevice", label: "Release", icon: IconDoorExit },
  lift: { operation: "liftQuarantine", label: "Lift quarantine", icon: IconLockOpen },
  dismiss: { operation: "dismissSuspicion", label: "Dismiss suspicion", icon: IconUserCheck },
  retry: { operation: "retryDevice", label: "Retry", icon: IconRefresh },
  renew: { operation: "renewDevice", label: "Renew", icon: IconCertificate },
  quarantine: { operation: "quarantineDevice", label: "Quarantine", icon: IconLock },
  withdraw: { operation: "withdrawTransfers", label: "Withdraw offer", icon: IconArrowBackUp },
  revoke: { operation: "revokeDevice", label: "Revoke", icon: IconBan },
};

/** Return the actions in `allowed` (API operations) that the user's role permits. */
export function actionsOf(
  allowed: readonly string[],
  may: (operation: string) => boolean,
): readonly Action[] {
  const actions = Object.keys(ACTIONS) as Action[];
  return actions.filter(
    (action) => allowed.includes(ACTIONS[action].operation) && may(ACTIONS[action].operation),
  );
}

/** Whether the user's role permits the action. */
export function isPermitted(action: Action, may: (operation: string) => boolean): boolean {
  return may(ACTIONS[action].operation);
}

/** The actions on a fingerprint that is not registered. */
export const FOR_UNKNOWN_DEVICES: readonly string[] = [ACTIONS.claim.operation, ACTIONS.revoke.operation];

export function labelOf(action: Action): string {
  return ACTIONS[action].label;
}

/** Whether the action cannot be undone. Its button and its dialog are red. */
export function isFinal(action: Action): boolean {
  return action === "revoke";
}

interface Props {
  actions: readonly Action[];
  /** The most likely action, highlighted; null: none. */
  first: Action | null;
  onBegin: (action: Action) => void;
}

export function ActionButtons({ actions, first, onBegin }: Props) {
  if (actions.length === 0) return null;
  return (
    <Group gap="xs" role="group" aria-label="Actions">
      {actions.map((action) => (
        <ActionButton key={action} action={action} first={action === first} onBegin={onBegin} />
      ))}
    </Group>
  );
}

interface ButtonProps {
  action: Action;
  first: boolean;
  onBegin: (action: Action) => void;
}

export function ActionButton({ action, first, onBegin }: ButtonProps) {
  const { label, icon: Icon } = ACTIONS[action];
  return (
    <Button
      variant={isFinal(action) ? "light" : first ? "filled" : "default"}
      color={isFinal(action) ? "red" : undefined}
      leftSection={<Icon size={18} aria-hidden />}
      onClick={() => onBegin(action)}
    >
      {label}
    </Button>
  );
}
