/** One target in the list: name, device counts by state, and actions. */
import { ActionIcon, Anchor, Badge, Button, Group, Menu, Paper, Stack, Text } from "@mantine/core";
import {
  IconArchive,
  IconCircleCheck,
  IconCircleX,
  IconDots,
  IconKey,
  IconLock,
  IconPencil,
  IconPlugConnected,
  IconTerminal2,
} from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import { ForeignText } from "../../parts/foreign_text";
import { pluralize } from "../../parts/numbers";
import { StateBar, StateNumbers } from "../../parts/state_bar";
import { keyOf } from "../../parts/targets";
import { Ago } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { devicesAddress } from "../addresses";
import { summarize } from "./check_summary";
import type { Counted, Listed } from "./operations";
import { type Retirement, RetirementDialog, RetirementItems } from "./retirement";
import { StandbyDialog, StandbyItems, StandbyLine, type StandbyStep } from "./standby";
import type { Dialog } from "./target_dialog";
import classes from "./targets.module.css";
import type { Outcome } from "./use_check";

interface Props {
  target: Listed;
  /** Undefined until loaded. */
  counts: Counted | undefined;
  /** The last check during this visit. */
  checked: Outcome | undefined;
  onOpen: (dialog: Dialog) => void;
}

export function TargetRow({ target, counts, checked, onOpen }: Props) {
  const me = useMe();
  return (
    <Paper component="li" withBorder p="sm" aria-label={target.name}>
      <div className={classes.row}>
        <Who target={target} checked={checked} />
        <Devices target={target} counts={counts} />
        <div className={classes.buttons}>
          {me.may("checkTarget") && (
            <Button
              variant="default"
              leftSection={<IconPlugConnected size={16} aria-hidden />}
              aria-label={`Check ${target.name}`}
              onClick={() => onOpen({ to: "check", target })}
            >
              Check
            </Button>
          )}
          {me.may("registerTarget") && <More target={target} onOpen={onOpen} />}
        </div>
      </div>
    </Paper>
  );
}

function Who({ target, checked }: { target: Listed; checked: Outcome | undefined }) {
  return (
    <Stack gap={4}>
      <Text fw={600} component="h2" size="md" lineClamp={2} title={target.name}>
        <ForeignText>{target.name}</ForeignText>
      </Text>
      <Text size="sm" c="dimmed" ff="monospace">
        {keyOf(target)}
      </Text>
      <Group gap={4}>
        {target.profiles.map((profile) => (
          <Badge key={profile} variant="outline" color="gray" size="sm" tt="none" title="Profile">
            {profile}
          </Badge>
        ))}
        {target.archivedAt && (
          <Badge
            variant="light"
            color="gray"
            size="sm"
            tt="none"
            leftSection={<IconArchive size={12} aria-hidden />}
            title="No device can be claimed for it"
          >
            Archived
          </Badge>
        )}
        {target.presence && (
          <Badge
            variant="light"
            color="violet"
            size="sm"
            tt="none"
            leftSection={<IconKey size={12} aria-hidden />}
            title="A claim takes effect after the code shown on the device is entered"
          >
            Requires presence code
          </Badge>
        )}
        {target.clones === "QUARANTINE" && (
          <Badge
            variant="light"
            color="pink"
            size="sm"
            tt="none"
            leftSection={<IconLock size={12} aria-hidden />}
            title="A device whose certificate seems to be in use twice is put in quarantine"
          >
            Quarantines copies
          </Badge>
        )}
        {checked && <LastCheck outcome={checked} />}
      </Group>
      <StandbyLine target={target} />
    </Stack>
  );
}

function LastCheck({ outcome }: { outcome: Outcome }) {
  const { ok, text } = summarize(outcome.result);
  const Icon = ok ? IconCircleCheck : IconCircleX;
  return (
    <Badge
      color={ok ? "green" : "red"}
      variant="light"
      size="sm"
      tt="none"
      leftSection={<Icon size={12} aria-hidden />}
    >
      {text}, <Ago at={outcome.at.toISOString()} />
    </Badge>
  );
}

function Devices({ target, counts }: { target: Listed; counts: Counted | undefined }) {
  if (!counts) return <div />;
  if (counts.count === 0)
    return (
      <Text size="sm" c="dimmed">
        No devices yet
      </Text>
    );
  return (
    <Stack gap={4}>
      <Anchor component={Link} href={devicesAddress({ target })} size="sm" fw={600} w="fit-content">
        {pluralize(counts.count, "device")}
      </Anchor>
      <StateBar counts={counts.states} />
      <StateNumbers counts={counts.states} />
    </Stack>
  );
}

function More({ target, onOpen }: { target: Listed; onOpen: (dialog: Dialog) => void }) {
  const [asked, setAsked] = useState<Retirement | null>(null);
  const [step, setStep] = useState<StandbyStep | null>(null);
  return (
    <>
      <MoreMenu target={target} onOpen={onOpen} onAsk={setAsked} onStandby={setStep} />
      <StandbyDialog target={target} step={step} onClose={() => setStep(null)} />
      <RetirementDialog target={target} asked={asked} onClose={() => setAsked(null)} />
    </>
  );
}

interface MenuProps {
  target: Listed;
  onOpen: (dialog: Dialog) => void;
  onAsk: (retirement: Retirement) => void;
  onStandby: (step: StandbyStep) => void;
}

function MoreMenu({ target, onOpen, onAsk, onStandby }: MenuProps) {
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="default" size={44} aria-label={`More actions for ${target.name}`}>
          <IconDots size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => onOpen({ to: "edit", target })}>
          Edit target
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTerminal2 size={16} />}
          onClick={() => onOpen({ to: "setup", target, occasion: "requested" })}
        >
          Show setup command
        </Menu.Item>
        <StandbyItems target={target} onChoose={onStandby} />
        <RetirementItems target={target} onAsk={onAsk} />
      </Menu.Dropdown>
    </Menu>
  );
}
