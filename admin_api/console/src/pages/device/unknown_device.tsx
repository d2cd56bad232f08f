/** A fingerprint that is not registered: an explanation, and actions to claim or revoke it in advance. */
import { Code, Stack, Text } from "@mantine/core";
import { IconUserQuestion } from "@tabler/icons-react";
import { EmptyState } from "../../parts/empty_state";
import { useMe } from "../../sign_in/me";
import { ActionButtons, actionsOf, FOR_UNKNOWN_DEVICES } from "./actions";
import type { Action } from "./consequences";

export function UnknownDevice({ certid, onBegin }: { certid: string; onBegin: (action: Action) => void }) {
  const { may } = useMe();
  const actions = actionsOf(FOR_UNKNOWN_DEVICES, may);
  return (
    <EmptyState icon={<IconUserQuestion />} title="Unknown device">
      <Stack align="center" gap="sm">
        <Code block style={{ whiteSpace: "normal", overflowWrap: "anywhere" }}>
          {certid}
        </Code>
        <Text size="sm">
          It has never connected to this lobby and is not claimed.
          {actions.includes("claim") &&
            " If you claim it now, it is sent to its target as soon as it connects."}
        </Text>
        <Text size="sm">
          If it is powered on, check that its CA is registered, that it connects to the lobby's endpoint, and
          that it sends SNI.
        </Text>
        <ActionButtons actions={actions} first="claim" onBegin={onBegin} />
      </Stack>
    </EmptyState>
  );
}
