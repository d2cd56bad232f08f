/** A check of a target while it runs, and what it found: each permission, there or missing, and what to do then. */
import { Alert, Button, Code, Group, Progress, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconRefresh, IconTerminal2 } from "@tabler/icons-react";
import { FailureNotice } from "../../parts/failure_notice";
import { Copy } from "../../parts/fingerprint";
import { duration, useNow } from "../../parts/moments";
import { keyOf, type TargetName } from "../../parts/targets";
import { Findings } from "./findings";
import { type Outcome, useCheck } from "./use_check";
import { verdictOf } from "./verdict";

interface Props {
  target: TargetName;
  onDone: (outcome: Outcome) => void;
  /** Shows the set-up command; absent for those who may not see it. */
  onSetup?: (() => void) | undefined;
}

export function CheckPanel({ target, onDone, onSetup }: Props) {
  const [check, again] = useCheck(target, onDone);
  return (
    <Stack gap="sm">
      <div role="status">
        {check.is === "running" && (
          <Text size="sm">
            Trying every permission in {keyOf(target)}. It takes some seconds; nothing is changed.
          </Text>
        )}
        {check.is === "done" && <Verdict outcome={check.outcome} onSetup={onSetup} />}
      </div>
      {check.is === "running" && <Running since={check.since} />}
      {check.is === "failed" && <FailureNotice failure={check.failure} onRetry={again} />}
      {check.is === "done" && (
        <>
          <Findings findings={check.outcome.found.findings} />
          <Endpoint host={check.outcome.found.endpoint} />
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
  const now = useNow(1_000);
  return (
    <Stack gap={4}>
      <Progress value={100} animated aria-label="The check runs" />
      <Text size="xs" c="dimmed" aria-hidden>
        {duration(Math.floor((now.getTime() - since.getTime()) / 1000) * 1000).replace(".0", "")}
      </Text>
    </Stack>
  );
}

function Verdict({ outcome, onSetup }: { outcome: Outcome; onSetup?: (() => void) | undefined }) {
  const { ok, words, wantsSetup } = verdictOf(outcome.found);
  const title = `${words}, in ${duration(outcome.tookMs)}`;
  if (ok) return <Alert color="green" icon={<IconCircleCheck aria-hidden />} title={title} />;
  return (
    <Alert color="red" icon={<IconTerminal2 aria-hidden />} title={title}>
      {!wantsSetup && <Text size="sm">Check again in a moment.</Text>}
      {wantsSetup && !onSetup && (
        <Text size="sm">
          The target's set-up command has to be run again: ask an admin of the lobby for it.
        </Text>
      )}
      {wantsSetup && onSetup && (
        <Group justify="space-between" gap="xs">
          <Text size="sm">Run its set-up command again.</Text>
          <Button size="xs" color="red" onClick={onSetup}>
            Show the command
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
