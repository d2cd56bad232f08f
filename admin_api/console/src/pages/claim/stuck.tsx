/** Why a device does not go through, in the lobby's words, and the way on: retry for who may, else words for who can. */
import { Alert, Button, CopyButton, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { graphql } from "../../api/graphql";
import { FailureNotice } from "../../parts/failure_notice";
import { reasonWords } from "../../parts/reasons";
import { useMe } from "../../sign_in/me";
import { wordsForOperator } from "./advice";
import type { Standing } from "./claim_line";
import type { Entry } from "./queue/entry";
import type { Followed } from "./use_followed";

const RETRY = graphql(`mutation RetryClaimed($certid: ID!) { retryDevice(certid: $certid) { certid } }`);
const STUCK: readonly Standing[] = ["failed", "not let in", "revoked"];

interface Props {
  entry: Entry;
  device: Followed;
  standing: Standing;
  onRetried: () => void;
}

export function Stuck({ entry: { certid, target }, device, standing, onRetried }: Props) {
  const { may } = useMe();
  if (!STUCK.includes(standing)) return null;
  const code = device.reason ?? standing;
  const { meaning, mend } = reasonWords(code);
  const message = device.message ?? mend;
  const words = wordsForOperator({ certid, name: device.devicename, target, code, message }, location.origin);
  return (
    <Alert color="red" p="sm" title={meaning}>
      <Stack gap="xs">
        <Text size="sm">{message}</Text>
        <Text size="xs" ff="monospace">
          {code}
        </Text>
        {may("retryDevice") && device.allowedActions.includes("retryDevice") ? (
          <Retry certid={certid} onRetried={onRetried} />
        ) : (
          <TellOperator words={words} />
        )}
      </Stack>
    </Alert>
  );
}

function Retry({ certid, onRetried }: { certid: string; onRetried: () => void }) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const retry = async () => {
    setBusy(true);
    const { error } = await client.mutation(RETRY, { certid }).toPromise();
    setBusy(false);
    setFailure(error && failureOf(error));
    if (!error) onRetried();
  };
  return (
    <>
      <Group gap="xs" grow>
        <Button size="md" variant="default" component={Link} href={`/devices/${certid}`}>
          Details
        </Button>
        <Button size="md" loading={busy} onClick={() => void retry()}>
          Retry
        </Button>
      </Group>
      {failure && <FailureNotice failure={failure} />}
    </>
  );
}

export function TellOperator({ words }: { words: string }) {
  return (
    <CopyButton value={words} timeout={4000}>
      {({ copied, copy }) => (
        <Button size="md" variant="default" onClick={copy}>
          {copied ? "Copied: send it to an operator" : "Copy for an operator"}
        </Button>
      )}
    </CopyButton>
  );
}
