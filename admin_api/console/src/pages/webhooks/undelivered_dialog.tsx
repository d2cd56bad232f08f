/** The events that a webhook has not accepted. Each can be sent again; all together with the action Redrive. */
import { Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useClient, useQuery } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { exact } from "../../parts/durations";
import entryList from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { useMe } from "../../sign_in/me";
import { REDRIVE_WEBHOOK, UNDELIVERED_EVENTS, type UndeliveredEvent, type Webhook } from "./operations";
import { nameOf, RESULTS } from "./texts";
import classes from "./webhooks.module.css";

/** The API lists so many. */
const LISTED = 100;

interface Props {
  webhook: Webhook;
  opened: boolean;
  onClose: () => void;
  /** An event was sent again. */
  onSent: () => void;
}

export function UndeliveredDialog({ webhook, opened, onClose, onSent }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Undelivered to ${webhook.url}`}
      size="lg"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <Undelivered webhook={webhook} onSent={onSent} />
    </Modal>
  );
}

function Undelivered({ webhook, onSent }: Pick<Props, "webhook" | "onSent">) {
  const [{ data, error }, again] = useQuery({ query: UNDELIVERED_EVENTS, requestPolicy: "network-only" });
  const reload = () => again({ requestPolicy: "network-only" });
  const events = data?.webhooks.find(({ id }) => id === webhook.id)?.undelivered;
  if (error) return <FailureNotice failure={failureOf(error)} onRetry={reload} />;
  if (!data) return <Loading what="undelivered events" />;
  if (!events?.length) return <Text c="dimmed">Every event is delivered, or sent again.</Text>;
  return (
    <Stack>
      {webhook.state !== "active" && <Text size="sm">Enable the webhook to send them again.</Text>}
      {events.length === LISTED && <Text size="sm">The first {LISTED} are listed.</Text>}
      <ul className={entryList.list}>
        {events.map((event) => (
          <Line
            key={event.event}
            webhook={webhook}
            event={event}
            onSent={() => {
              reload();
              onSent();
            }}
          />
        ))}
      </ul>
    </Stack>
  );
}

interface LineProps {
  webhook: Webhook;
  event: UndeliveredEvent;
  onSent: () => void;
}

function Line({ webhook, event, onSent }: LineProps) {
  const me = useMe();
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const send = async () => {
    setBusy(true);
    const variables = { id: webhook.id, events: [event.event] };
    const { error } = await client.mutation(REDRIVE_WEBHOOK, variables).toPromise();
    setBusy(false);
    setFailure(error && failureOf(error));
    if (!error) onSent();
  };
  return (
    <Paper component="li" withBorder p="xs" aria-label={event.event}>
      <Group justify="space-between" gap="xs">
        <Stack gap={2} className={classes.text}>
          <Text size="sm" fw={600}>
            {nameOf(event.type)}: {RESULTS[event.result] ?? event.result}
          </Text>
          <Text size="sm" c="dimmed">
            <time dateTime={event.at}>{exact(event.at)}</time> · {pluralize(event.attempts, "attempt")}
          </Text>
          <Text size="xs" c="dimmed" ff="monospace">
            {event.event}
          </Text>
        </Stack>
        {me.may("redriveWebhook") && webhook.state === "active" && (
          <Button
            variant="default"
            loading={busy}
            aria-label={`Send again: ${event.event}`}
            onClick={() => void send()}
          >
            Send again
          </Button>
        )}
      </Group>
      {failure && <FailureNotice failure={failure} />}
    </Paper>
  );
}
