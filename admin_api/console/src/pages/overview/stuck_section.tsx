/** Devices that stay too long in a transitional state, longest first, with a selectable threshold. */
import { Anchor, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { stateInfo } from "../../parts/state_badge";
import { devicesAddress } from "../addresses";
import { STUCK } from "./operations";
import classes from "./overview.module.css";
import { Section } from "./section";
import { earlier, HINTS, type Stuck, stuckOf, THRESHOLDS } from "./stuck";
import { type RetryOutcome, StuckLine } from "./stuck_line";

interface Props {
  /** When the counts were loaded; durations are relative to it. */
  at: Date;
  /** Whether any device is in such a state. Otherwise no request is sent. */
  some: boolean;
  everyMs: number;
}

export function StuckSection({ at, some, everyMs }: Props) {
  const [threshold, setThreshold] = useState<number>(THRESHOLDS[0].ms);
  const [{ data, error }, again] = useLiveQuery(
    { query: STUCK, variables: { before: earlier(at, threshold) }, pause: !some },
    everyMs,
  );
  const stuck = some ? data && stuckOf(data) : { devices: [], more: [] };
  return (
    <Section
      title="Stuck"
      aside={
        <SegmentedControl
          aria-label="Waiting for longer than"
          className={classes.threshold}
          value={String(threshold)}
          onChange={(chosen) => setThreshold(Number(chosen))}
          data={THRESHOLDS.map(({ label, ms }) => ({ label: `> ${label}`, value: String(ms) }))}
        />
      }
    >
      {some && error && (
        <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
      )}
      {!stuck && !error && <Loading what="stuck devices" />}
      {stuck && (!error || stuck.devices.length > 0) && (
        <Lines stuck={stuck} at={at} longer={labelOf(threshold)} />
      )}
    </Section>
  );
}

function labelOf(threshold: number): string {
  return THRESHOLDS.find(({ ms }) => ms === threshold)?.label ?? "";
}

function Lines({ stuck, at, longer }: { stuck: Stuck; at: Date; longer: string }) {
  const [outcome, setOutcome] = useState<RetryOutcome>();
  const states = Object.keys(HINTS).filter((state) =>
    stuck.devices.some(({ devstate }) => devstate === state),
  );
  return (
    <Stack gap="xs">
      <Text size="sm" role="status" fw={outcome?.failure && 600}>
        {outcome && (outcome.failure ? `${outcome.name} was not retried:` : `Retrying ${outcome.name}.`)}
      </Text>
      {outcome?.failure && <FailureNotice failure={outcome.failure} />}
      {stuck.devices.length === 0 && stuck.more.length === 0 && (
        <Group gap="xs">
          <IconCircleCheck size={20} color="var(--mantine-color-green-light-color)" aria-hidden />
          <Text size="sm">
            Nothing is stuck: no claim has waited for its code or its target for more than {longer}.
          </Text>
        </Group>
      )}
      {states.map((state) => (
        <Text key={state} size="xs" c="dimmed">
          {HINTS[state]}
        </Text>
      ))}
      <ul className={classes.stuck}>
        {stuck.devices.map((device) => (
          <StuckLine key={device.certid} device={device} at={at} onRetried={setOutcome} />
        ))}
      </ul>
      {stuck.more.map((state) => (
        <Text key={state} size="sm">
          More than 20 devices are stuck in {stateInfo(state).label.toLowerCase()}.{" "}
          <Anchor component={Link} href={devicesAddress({ state })} size="sm" underline="always">
            View all
          </Anchor>
        </Text>
      ))}
    </Stack>
  );
}
