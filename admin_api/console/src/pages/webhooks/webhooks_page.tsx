/**
 * The webhooks page: addresses that receive events, their state and deliveries; add, test, rotate, enable,
 * remove.
 */
import { Button } from "@mantine/core";
import { IconPlus, IconWebhook } from "@tabler/icons-react";
import { useState } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { EmptyState } from "../../parts/empty_state";
import entryList from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { useMe } from "../../sign_in/me";
import { AddDialog } from "./add_dialog";
import { type MadeSecret, WEBHOOK_LIST } from "./operations";
import { SecretDialog } from "./secret_dialog";
import { WebhookRow } from "./webhook_row";

const EVERY_MS = 10_000;
/** An empty list names no type, so the type is declared here for cache invalidation. */
const OF_WEBHOOKS = { additionalTypenames: ["Webhook"] };

export default function WebhooksPage() {
  const me = useMe();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<MadeSecret | null>(null);
  const [{ data, error }, again] = useLiveQuery({ query: WEBHOOK_LIST, context: OF_WEBHOOKS }, EVERY_MS);
  const webhooks = data?.webhooks;
  const refresh = () => again({ requestPolicy: "network-only" });
  return (
    <>
      <PageHead title="Webhooks">
        {me.may("addWebhook") && (
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setAdding(true)}>
            Add webhook
          </Button>
        )}
      </PageHead>
      {error && <FailureNotice failure={failureOf(error)} onRetry={refresh} />}
      {!webhooks && !error && <Loading what="webhooks" />}
      {webhooks?.length === 0 && (
        <EmptyState icon={<IconWebhook />} title="No webhooks">
          A webhook sends events, such as the claim or the arrival of a device, to an HTTPS address of another
          system.
        </EmptyState>
      )}
      {webhooks && webhooks.length > 0 && (
        <ul className={entryList.list}>
          {webhooks.map((webhook) => (
            <WebhookRow key={webhook.id} webhook={webhook} onChanged={refresh} onSecret={setMade} />
          ))}
        </ul>
      )}
      <AddDialog
        opened={adding}
        onClose={() => setAdding(false)}
        onAdded={(added) => {
          setAdding(false);
          setMade(added);
          refresh();
        }}
      />
      <SecretDialog made={made} onClose={() => setMade(null)} />
    </>
  );
}
