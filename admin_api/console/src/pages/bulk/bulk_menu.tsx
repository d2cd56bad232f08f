/** A menu of the changes that the user may make with many devices. Each opens the dialog. */
import { Button, Menu } from "@mantine/core";
import {
  IconArrowsMove,
  IconBan,
  IconCertificate,
  IconChevronDown,
  IconDoorExit,
  IconRefresh,
  IconSettings,
  type TablerIcon,
} from "@tabler/icons-react";
import { useMe } from "../../sign_in/me";
import { ACTIONS, type BulkAction } from "./change";

const ICONS: Readonly<Record<BulkAction, TablerIcon>> = {
  move: IconArrowsMove,
  configure: IconSettings,
  release: IconDoorExit,
  retry: IconRefresh,
  renew: IconCertificate,
  revoke: IconBan,
};

interface Props {
  label: string;
  disabled?: boolean;
  /** The changes that make sense for these devices. */
  among?: readonly BulkAction[];
  onBegin: (action: BulkAction) => void;
}

export function BulkMenu({ label, disabled = false, among, onBegin }: Props) {
  const { may } = useMe();
  const offered = (Object.keys(ACTIONS) as BulkAction[]).filter(
    (action) => may("changeDevices") && may(ACTIONS[action].operation) && (among?.includes(action) ?? true),
  );
  if (offered.length === 0) return null;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          variant="default"
          disabled={disabled}
          rightSection={<IconChevronDown size={16} aria-hidden />}
        >
          {label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {offered.map((action) => {
          const Icon = ICONS[action];
          return (
            <Menu.Item
              key={action}
              color={action === "revoke" ? "red" : undefined}
              leftSection={<Icon size={18} aria-hidden />}
              onClick={() => onBegin(action)}
            >
              {ACTIONS[action].label}…
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
