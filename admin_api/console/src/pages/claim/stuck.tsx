/**
 * Why a device is stuck, in the lobby's words, and the next action: Retry for roles that may, otherwise a
 * message for an operator.
 */
import { Alert, Button, CopyButton, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { graphql } from "../../api/graphql";
import { FailureNotice } from "../../parts/failure_notice";
import { reasonText } from "../../parts/reasons";
import { useMe } from "../../sign_in/me";
import { operatorMessage } from "./advice";
import type { ClaimStatus } from "./claim_progress";
import type { Entry } from "./queue/entry";
import type { Followed } from "./use_followed";

const RETRY = graphql(`mutation RetryClaimed($certid: ID!) { retryDevice(certid: $certid) { certid } }`);
const STUCK: readonly ClaimStatus[] = ["failed", "refused", "revoked"];

interface Props {
  entry: Entry;
  device: Followed;
  status: ClaimStatus;
  onRetried: () => void;
}

export function Stuck({ entry: { certid, target }, device, status, onRetried }: Props) {
  const { may } = useMe();
  if (!STUCK.includes(status)) return null;
  const code = device.reason ?? status;
  const { meaning, remedy } = reasonText(code);
  const message = device.message ?? remedy;
  const text = operatorMessage({ certid, name: device.devicename, target, code, message }, location.origin);
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
          <CopyForOperator text={text} />
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

export function CopyForOperator({ text }: { text: string }) {
  return (
    <CopyButton value={text} timeout={4000}>
      {({ copied, copy }) => (
        <Button size="md" variant="default" onClick={copy}>
          {copied ? "Copied. Send it to an operator." : "Copy for operator"}
        </Button>
      )}
    </CopyButton>
  );
}
