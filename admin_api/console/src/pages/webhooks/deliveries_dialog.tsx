/** The delivery log of a webhook: the requests of the last 7 days. After a test it waits for the test's result. */
import { Group, Loader, Modal, Paper, Stack, Text } from "@mantine/core";
import { useCallback, useEffect } from "react";
import { useClient } from "urql";
import { failureOf } from "../../api/failures";
import { exact } from "../../parts/durations";
import entryList from "../../parts/entry_list.module.css";
import { LoadMore } from "../../parts/load_more";
import { Loading } from "../../parts/loading";
import { usePhone } from "../../parts/phone";
import { usePages } from "../../parts/use_pages";
import { type Delivery, WEBHOOK_DELIVERIES, type Webhook } from "./operations";
import { deliveryText, isDelivered, nameOf } from "./texts";

const ON_A_PAGE = 20;
/** How often the log is read while a test has no result. */
const TEST_EVERY_MS = 1_500;

interface Props {
  webhook: Webhook;
  /** The id of a test event without a result. */
  test: string | null;
  opened: boolean;
  onClose: () => void;
}

export function DeliveriesDialog({ webhook, test, opened, onClose }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Deliveries to ${webhook.url}`}
      size="lg"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <Deliveries id={webhook.id} test={test} />
    </Modal>
  );
}

function Deliveries({ id, test }: { id: string; test: string | null }) {
  const pages = useDeliveries(id);
  const { entries, busy, failure, refresh } = pages;
  const awaited = test !== null && !entries?.some(({ event }) => event === test);
  useEffect(() => {
    if (!awaited || busy || failure) return;
    const timer = setTimeout(refresh, TEST_EVERY_MS);
    return () => clearTimeout(timer);
  }, [awaited, busy, failure, refresh]);
  return (
    <Stack>
      {awaited && (
        <Group gap="xs" role="status" wrap="nowrap">
          <Loader size="sm" />
          <Text size="sm">A test event was sent. Its result appears here.</Text>
        </Group>
      )}
      {!entries && !failure && <Loading what="deliveries" />}
      {entries?.length === 0 && <Text c="dimmed">No requests in the last 7 days.</Text>}
      {entries && entries.length > 0 && (
        <ul className={entryList.list}>
          {entries.map((delivery) => (
            <Line key={`${delivery.at} ${delivery.event} ${delivery.attempt}`} delivery={delivery} />
          ))}
        </ul>
      )}
      <LoadMore pages={pages} />
    </Stack>
  );
}

function useDeliveries(id: string) {
  const client = useClient();
  const load = useCallback(
    async (after: string | null) => {
      const { data, error } = await client
        .query(WEBHOOK_DELIVERIES, { id, first: ON_A_PAGE, after }, { requestPolicy: "network-only" })
        .toPromise();
      if (data && !error) return data.webhookDeliveries;
      return error ? failureOf(error) : { code: "ERROR", message: "got no answer, want a page of the log" };
    },
    [client, id],
  );
  return usePages<Delivery>(load);
}

function Line({ delivery }: { delivery: Delivery }) {
  const { at, type, event, nextAt } = delivery;
  return (
    <Paper component="li" withBorder p="xs">
      <Text size="sm" fw={600} c={isDelivered(delivery) ? undefined : "red"}>
        {nameOf(type)}: {deliveryText(delivery)}
      </Text>
      <Text size="sm" c="dimmed">
        <time dateTime={at}>{exact(at)}</time>
        {nextAt && ` · again at ${exact(nextAt)}`}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {event}
      </Text>
    </Paper>
  );
}
