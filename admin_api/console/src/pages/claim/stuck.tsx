/**
 * The lobby's reason why a device is stuck, and the action that most likely helps: Release or Retry if the
 * role permits it, otherwise a message for an operator.
 */
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { graphql } from "../../api/graphql";
import { FailureNotice } from "../../parts/failure_notice";
import { CODE_NOT_SHOWN } from "../../parts/reason_codes";
import { type NextAction, nextAction, reasonText } from "../../parts/reasons";
import { useMe } from "../../sign_in/me";
import { operatorMessage } from "./advice";
import type { ClaimStatus } from "./claim_progress";
import { CopyForOperator } from "./copy_for_operator";
import type { Entry } from "./queue/entry";
import type { Followed } from "./use_followed";

const RETRY = graphql(`mutation RetryClaimed($certid: ID!) { retryDevice(certid: $certid) { certid } }`);
const RELEASE = graphql(
  `mutation ReleaseClaimed($certid: ID!) { releaseDevice(certid: $certid) { certid } }`,
);

const ACTIONS = {
  retry: { operation: "retryDevice", label: "Retry", document: RETRY },
  release: { operation: "releaseDevice", label: "Release", document: RELEASE },
} as const;

interface Props {
  entry: Entry;
  device: Followed;
  status: ClaimStatus;
  /** The device has changed. */
  onChanged: () => void;
}

export function Stuck({ entry: { certid, target }, device, status, onChanged }: Props) {
  const { may } = useMe();
  const code = status === "no code" ? CODE_NOT_SHOWN : (device.reason ?? status);
  const { meaning, remedy } = reasonText(code);
  const message = device.message ?? remedy;
  const text = operatorMessage({ certid, name: device.devicename, target, code, message }, location.origin);
  const action = nextAction(device.devstate ?? "", code);
  const allowed =
    action !== null &&
    may(ACTIONS[action].operation) &&
    device.allowedActions.includes(ACTIONS[action].operation);
  return (
    <Alert color="red" p="sm" role="alert" title={meaning}>
      <Stack gap="xs">
        <Text size="sm">{message}</Text>
        <Text size="xs" ff="monospace">
          {code}
        </Text>
        {allowed ? (
          <Act action={action} certid={certid} onDone={onChanged} />
        ) : (
          <CopyForOperator text={text} />
        )}
      </Stack>
    </Alert>
  );
}

function Act({ action, certid, onDone }: { action: NextAction; certid: string; onDone: () => void }) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const { document, label } = ACTIONS[action];
  const act = async () => {
    setBusy(true);
    const { error } = await client.mutation(document, { certid }).toPromise();
    setBusy(false);
    setFailure(error && failureOf(error));
    if (!error) onDone();
  };
  return (
    <>
      <Group gap="xs" grow>
        <Button size="md" variant="default" component={Link} href={`/devices/${certid}`}>
          Details
        </Button>
        <Button size="md" loading={busy} onClick={() => void act()}>
          {label}
        </Button>
      </Group>
      {failure && <FailureNotice failure={failure} />}
    </>
  );
}
