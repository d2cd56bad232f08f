/** A registered device: state, actions, facts and history. */
import { Grid, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CLONE_SUSPECTED } from "../../parts/reason_codes";
import { nextAction } from "../../parts/reasons";
import { StateBadge, stateInfo } from "../../parts/state_badge";
import type { TargetEntry } from "../../parts/targets";
import { Ago } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { ActionButton, ActionButtons, actionsOf, isPermitted } from "./actions";
import { Attention, isSuspected } from "./attention";
import { ConnectionProblems } from "./connection_problems";
import type { Action } from "./consequences";
import { CertificateFacts, Identity, RenewalFacts, RouteFacts } from "./device_facts";
import type { DeviceRecord } from "./device_query";
import { placeOf, subjectOf } from "./subject";
import { TransferNotice } from "./transfer_notice";

interface Props {
  device: DeviceRecord;
  known: readonly TargetEntry[] | undefined;
  onBegin: (action: Action) => void;
  /** Reload the device. */
  onChanged: () => void;
  /** The history. */
  children: ReactNode;
}

export function DeviceDetails({ device, known, onBegin, onChanged, children }: Props) {
  const { may } = useMe();
  const actions = actionsOf(device.allowedActions, may);
  const helping = helpingActions(device).filter((action) => actions.includes(action));
  const others = actions.filter((action) => !helping.includes(action));
  return (
    <Stack gap="md">
      <StateLine device={device} />
      <Attention
        device={device}
        target={placeOf(subjectOf(device).target, known)}
        onConfirmed={onChanged}
        action={
          helping.length > 0 && (
            <Group gap="xs">
              {helping.map((action) => (
                <ActionButton key={action} action={action} first={helping.length === 1} onBegin={onBegin} />
              ))}
            </Group>
          )
        }
      />
      <TransferNotice
        transfer={device.transfer}
        action={
          isPermitted("withdraw", may) && <ActionButton action="withdraw" first={false} onBegin={onBegin} />
        }
      />
      <ConnectionProblems device={device} />
      <ActionButtons actions={others} first={others.includes("claim") ? "claim" : null} onBegin={onBegin} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack gap="md">
            <RouteFacts device={device} known={known} />
            <Identity device={device} />
            <RenewalFacts renewal={device.renewal} />
            {device.certificate && <CertificateFacts certificate={device.certificate} />}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>{children}</Grid.Col>
      </Grid>
    </Stack>
  );
}

/** The actions that most likely help a device, shown with its problem. Whether a copy exists is for the user to find out. */
function helpingActions({ devstate, reason, suspicion }: DeviceRecord): readonly Action[] {
  const state = devstate ?? "";
  if (state === "quarantined") return ["lift"];
  if (isSuspected({ suspicion })) return ["dismiss", "quarantine"];
  const next = nextAction(state, reason);
  return next === null ? [] : [next];
}

function StateLine({ device }: { device: DeviceRecord }) {
  const { enteredAt } = device;
  const state = device.devstate ?? "";
  const reason = isSuspected(device) ? CLONE_SUSPECTED : device.reason;
  return (
    <Group gap="xs">
      <span role="status">
        <StateBadge state={state} reason={reason} size="lg" />
      </span>
      <Text size="sm" c="dimmed">
        {stateInfo(state).meaning} · <Ago at={enteredAt} />
      </Text>
    </Group>
  );
}
