/** The events that a webhook has not accepted. Each can be sent again; all together with the action Redrive. */
import { Button, Group, Modal, Paper, Stack, Text } from "@mantine/core";
import { useCallback, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { exact } from "../../parts/durations";
import entryList from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { LoadMore } from "../../parts/load_more";
import { Loading } from "../../parts/loading";
import { pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { usePages } from "../../parts/use_pages";
import { useMe } from "../../sign_in/me";
import { REDRIVE_WEBHOOK, UNDELIVERED_EVENTS, type UndeliveredEvent, type Webhook } from "./operations";
import { nameOf, RESULTS } from "./texts";
import classes from "./webhooks.module.css";

/** The API returns so many, if there are more. */
const ON_A_PAGE = 100;

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
  const pages = useUndelivered(webhook.id);
  const [sent, setSent] = useState<ReadonlySet<string>>(new Set());
  const events = pages.entries?.filter(({ event }) => !sent.has(event));
  return (
    <Stack>
      {!events && !pages.failure && <Loading what="undelivered events" />}
      {events?.length === 0 && pages.next === null && (
        <Text c="dimmed">Every event is delivered, or sent again.</Text>
      )}
      {events && events.length > 0 && webhook.state !== "active" && (
        <Text size="sm">Enable the webhook to send them again.</Text>
      )}
      <ul className={entryList.list}>
        {events?.map((event) => (
          <Line
            key={event.event}
            webhook={webhook}
            event={event}
            onSent={() => {
              setSent((before) => new Set([...before, event.event]));
              onSent();
            }}
          />
        ))}
      </ul>
      <LoadMore pages={pages} />
    </Stack>
  );
}

function useUndelivered(id: string) {
  const client = useClient();
  const load = useCallback(
    async (after: string | null) => {
      const { data, error } = await client
        .query(UNDELIVERED_EVENTS, { after }, { requestPolicy: "network-only" })
        .toPromise();
      if (!data || error)
        return error ? failureOf(error) : { code: "ERROR", message: "got no answer, want a page of events" };
      const nodes = data.webhooks.find((each) => each.id === id)?.undelivered ?? [];
      return { nodes, next: nodes.length < ON_A_PAGE ? null : (nodes.at(-1)?.event ?? null) };
    },
    [client, id],
  );
  return usePages<UndeliveredEvent>(load);
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
