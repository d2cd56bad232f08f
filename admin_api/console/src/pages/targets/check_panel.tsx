/** A running target check, and its findings: each permission, present or missing, and what to do. */
import { Alert, Button, Code, Group, Progress, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconRefresh, IconTerminal2 } from "@tabler/icons-react";
import { FailureNotice } from "../../parts/failure_notice";
import { Copy } from "../../parts/fingerprint";
import { keyOf, type TargetName } from "../../parts/targets";
import { duration, useOwnNow } from "../../parts/time";
import { summarize } from "./check_summary";
import { Findings } from "./findings";
import { type Outcome, useCheck } from "./use_check";

interface Props {
  target: TargetName;
  onDone: (outcome: Outcome) => void;
  /** Shows the setup command; absent for roles that may not see it. */
  onSetup?: (() => void) | undefined;
}

export function CheckPanel({ target, onDone, onSetup }: Props) {
  const [check, again] = useCheck(target, onDone);
  return (
    <Stack gap="sm">
      <div role="status">
        {check.is === "running" && (
          <Text size="sm">
            Testing every permission in {keyOf(target)}. This takes a few seconds and changes nothing.
          </Text>
        )}
        {check.is === "done" && <CheckSummary outcome={check.outcome} onSetup={onSetup} />}
      </div>
      {check.is === "running" && <Running since={check.since} />}
      {check.is === "failed" && <FailureNotice failure={check.failure} onRetry={again} />}
      {check.is === "done" && (
        <>
          <Findings findings={check.outcome.result.findings} />
          <Endpoint host={check.outcome.result.endpoint} />
          <Group justify="flex-end">
            <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={again}>
              Check again
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

function Running({ since }: { since: Date }) {
  const now = useOwnNow(1_000);
  return (
    <Stack gap={4}>
      <Progress value={100} animated aria-label="Check in progress" />
      <Text size="xs" c="dimmed" aria-hidden>
        {duration(Math.floor((now.getTime() - since.getTime()) / 1000) * 1000).replace(".0", "")}
      </Text>
    </Stack>
  );
}

function CheckSummary({ outcome, onSetup }: { outcome: Outcome; onSetup?: (() => void) | undefined }) {
  const { ok, text, needsSetup } = summarize(outcome.result);
  const title = `${text} (${duration(outcome.tookMs)})`;
  if (ok) return <Alert color="green" icon={<IconCircleCheck aria-hidden />} title={title} />;
  return (
    <Alert color="red" icon={<IconTerminal2 aria-hidden />} title={title}>
      {!needsSetup && <Text size="sm">Check again in a moment.</Text>}
      {needsSetup && !onSetup && (
        <Text size="sm">Run the target's setup command again. Ask an admin of the lobby for it.</Text>
      )}
      {needsSetup && onSetup && (
        <Group justify="space-between" gap="xs">
          <Text size="sm">Run its setup command again.</Text>
          <Button size="xs" color="red" onClick={onSetup}>
            Show command
          </Button>
        </Group>
      )}
    </Alert>
  );
}

function Endpoint({ host }: { host: string | null }) {
  if (!host) return null;
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" c="dimmed">
        Endpoint
      </Text>
      <Code style={{ overflowWrap: "anywhere" }}>{host}</Code>
      <Copy text={host} what="endpoint" />
    </Group>
  );
}
