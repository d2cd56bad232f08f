/** One webhook in the list: address, events, state and undelivered events, with its actions. */
import { Badge, Group, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { exact } from "../../parts/durations";
import { ForeignText } from "../../parts/foreign_text";
import { Ago } from "../../parts/time";
import { Actions } from "./actions";
import { DeliveriesDialog } from "./deliveries_dialog";
import type { MadeSecret, Webhook } from "./operations";
import { eventsOf, problemsOf, stateOf } from "./texts";
import { UndeliveredDialog } from "./undelivered_dialog";
import classes from "./webhooks.module.css";

interface Props {
  webhook: Webhook;
  onChanged: () => void;
  onSecret: (made: MadeSecret) => void;
}

export function WebhookRow({ webhook, onChanged, onSecret }: Props) {
  const [opened, setOpened] = useState(false);
  const [listing, setListing] = useState(false);
  /** The test event whose result the delivery log waits for. */
  const [test, setTest] = useState<string | null>(null);
  const showDeliveries = (event: string | null) => {
    setTest(event);
    setOpened(true);
  };
  return (
    <Paper component="li" withBorder p="sm" aria-label={webhook.url}>
      <div className={classes.row}>
        <What webhook={webhook} />
        <Condition webhook={webhook} />
      </div>
      <Actions
        webhook={webhook}
        onChanged={onChanged}
        onSecret={onSecret}
        onDeliveries={() => showDeliveries(null)}
        onUndelivered={() => setListing(true)}
        onTested={showDeliveries}
      />
      <UndeliveredDialog
        webhook={webhook}
        opened={listing}
        onClose={() => setListing(false)}
        onSent={onChanged}
      />
      <DeliveriesDialog webhook={webhook} test={test} opened={opened} onClose={() => setOpened(false)} />
    </Paper>
  );
}

function What({ webhook }: { webhook: Webhook }) {
  const { url, createdBy, createdAt } = webhook;
  const { label, color } = stateOf(webhook);
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <Text fw={600} component="h2" size="md">
          {url}
        </Text>
        <Badge variant="light" color={color} size="sm" tt="none">
          {label}
        </Badge>
      </Group>
      <Text size="sm">{eventsOf(webhook)}</Text>
      <Text size="sm" c="dimmed">
        {createdBy.replace(/^user:/, "")}, <Ago at={createdAt} />
      </Text>
    </Stack>
  );
}

function Condition({ webhook }: { webhook: Webhook }) {
  return (
    <Stack gap={4}>
      {problemsOf(webhook).map((problem) => (
        <Text key={problem} size="sm" c="red">
          <ForeignText>{problem}</ForeignText>
        </Text>
      ))}
      {webhook.previousSecretUntil && (
        <Text size="sm" c="dimmed">
          Also signed with the previous secret until {exact(webhook.previousSecretUntil)}
        </Text>
      )}
    </Stack>
  );
}
