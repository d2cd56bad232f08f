/** A registered device: state, actions, facts and history. */
import { Grid, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { nextAction } from "../../parts/reasons";
import { StateBadge, stateInfo } from "../../parts/state_badge";
import type { TargetEntry } from "../../parts/targets";
import { Ago } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { ActionButton, ActionButtons, actionsOf, isPermitted } from "./actions";
import { Attention } from "./attention";
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
  const next = nextAction(device.devstate ?? "", device.reason);
  const first = next !== null && actions.includes(next) ? next : null;
  const others = actions.filter((action) => action !== first);
  return (
    <Stack gap="md">
      <StateLine device={device} />
      <Attention
        device={device}
        target={placeOf(subjectOf(device).target, known)}
        onConfirmed={onChanged}
        action={first && <ActionButton action={first} first onBegin={onBegin} />}
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

function StateLine({ device: { devstate, enteredAt } }: { device: DeviceRecord }) {
  const state = devstate ?? "";
  return (
    <Group gap="xs">
      <span role="status">
        <StateBadge state={state} size="lg" />
      </span>
      <Text size="sm" c="dimmed">
        {stateInfo(state).meaning} · <Ago at={enteredAt} />
      </Text>
    </Group>
  );
}
