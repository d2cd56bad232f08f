/** A fingerprint that the ledger does not know: what that means, and the way to expect the device, or to ban it. */
import { Code, Stack, Text } from "@mantine/core";
import { IconUserQuestion } from "@tabler/icons-react";
import { EmptyState } from "../../parts/empty_state";
import { useMe } from "../../sign_in/me";
import { ActionButtons, actionsOf, FOR_STRANGERS } from "./actions";
import type { Action } from "./consequences";

export function Stranger({ certid, onBegin }: { certid: string; onBegin: (action: Action) => void }) {
  const { may } = useMe();
  const actions = actionsOf(FOR_STRANGERS, may);
  return (
    <EmptyState icon={<IconUserQuestion />} title="Nobody knows this device">
      <Stack align="center" gap="sm">
        <Code block style={{ whiteSpace: "normal", overflowWrap: "anywhere" }}>
          {certid}
        </Code>
        <Text size="sm">
          It has never knocked at this lobby, and nobody has claimed it.
          {actions.includes("claim") &&
            " Claim it now and it is expected: when it knocks, it is sent on at once."}
        </Text>
        <Text size="sm">
          If it was powered on: is its CA registered, does it dial the lobby's endpoint, and does it send SNI?
        </Text>
        <ActionButtons actions={actions} first="claim" onBegin={onBegin} />
      </Stack>
    </EmptyState>
  );
}
