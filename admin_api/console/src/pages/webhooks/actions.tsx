/** The actions of a webhook. All but the test and the delivery log ask first. */
import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { type Client, useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { FailureNotice } from "../../parts/failure_notice";
import { pluralize } from "../../parts/numbers";
import { useMe } from "../../sign_in/me";
import {
  DISABLE_WEBHOOK,
  ENABLE_WEBHOOK,
  type MadeSecret,
  REDRIVE_WEBHOOK,
  REMOVE_WEBHOOK,
  ROTATE_SECRET,
  TEST_WEBHOOK,
  type Webhook,
} from "./operations";
import classes from "./webhooks.module.css";

const ACTIONS = {
  redriveWebhook: {
    title: "Redrive",
    consequence: "Up to 100 events that it has not accepted are sent again.",
  },
  rotateWebhookSecret: {
    title: "Rotate secret",
    consequence: "It gets a new secret. For a day, requests are also signed with the previous one.",
  },
  enableWebhook: {
    title: "Enable",
    consequence: "It gets events again, but not those that occurred while it was disabled.",
  },
  disableWebhook: {
    title: "Disable",
    consequence:
      "It gets no events until it is enabled again. Events that occur until then are never sent to it.",
  },
  removeWebhook: {
    title: "Remove",
    consequence:
      "It is removed with its secrets. Events that wait for it are not sent. This cannot be undone.",
  },
} as const;
type Action = keyof typeof ACTIONS;
/** What cannot be undone is red. */
const DANGEROUS: ReadonlySet<Action> = new Set(["removeWebhook"]);

interface Props {
  webhook: Webhook;
  onChanged: () => void;
  onSecret: (made: MadeSecret) => void;
  onDeliveries: () => void;
  onUndelivered: () => void;
  /** A test event was sent. */
  onTested: (event: string) => void;
}

export function Actions(props: Props) {
  const { webhook, onChanged, onSecret, onDeliveries, onUndelivered, onTested } = props;
  const me = useMe();
  const client = useClient();
  const [asked, setAsked] = useState<Action | null>(null);
  const [note, setNote] = useState("");
  const [testFailure, setTestFailure] = useState<Failure>();
  const { title, consequence } = ACTIONS[asked ?? "redriveWebhook"];
  const confirm = async () => {
    const { failure, made, redriven } = await carryOut(client, asked ?? "redriveWebhook", webhook.id);
    if (failure) return failure;
    setNote(redriven === undefined ? "" : `${pluralize(redriven, "event")} sent again`);
    if (made) onSecret(made);
    onChanged();
    return undefined;
  };
  return (
    <>
      <div className={classes.buttons}>
        {me.may("webhookDeliveries") && (
          <Button variant="default" aria-label={`Deliveries of ${webhook.url}`} onClick={onDeliveries}>
            Deliveries
          </Button>
        )}
        {webhook.undeliveredCount > 0 && (
          <Button variant="default" aria-label={`Undelivered to ${webhook.url}`} onClick={onUndelivered}>
            Undelivered
          </Button>
        )}
        {me.may("testWebhook") && webhook.state === "active" && (
          <TestButton id={webhook.id} url={webhook.url} onTested={onTested} onFailure={setTestFailure} />
        )}
        {offeredFor(webhook)
          .filter((action) => me.may(action))
          .map((action) => (
            <Button
              key={action}
              variant="default"
              c={DANGEROUS.has(action) ? "red" : undefined}
              aria-label={`${ACTIONS[action].title} ${webhook.url}`}
              onClick={() => setAsked(action)}
            >
              {ACTIONS[action].title}
            </Button>
          ))}
      </div>
      {testFailure && <FailureNotice failure={testFailure} />}
      {note && (
        <Text size="sm" role="status" mt="xs">
          {note}
        </Text>
      )}
      <ConfirmDialog
        opened={asked !== null}
        title={`${title}: ${webhook.url}?`}
        consequence={consequence}
        action={title}
        dangerous={asked !== null && DANGEROUS.has(asked)}
        onConfirm={confirm}
        onClose={() => setAsked(null)}
      />
    </>
  );
}

interface TestProps {
  id: string;
  url: string;
  onTested: (event: string) => void;
  /** Undefined: a new test begins. */
  onFailure: (failure: Failure | undefined) => void;
}

function TestButton({ id, url, onTested, onFailure }: TestProps) {
  const client = useClient();
  const [busy, setBusy] = useState(false);
  const test = async () => {
    setBusy(true);
    onFailure(undefined);
    const { data, error } = await client.mutation(TEST_WEBHOOK, { id }).toPromise();
    setBusy(false);
    if (error) onFailure(failureOf(error));
    if (data?.testWebhook) onTested(data.testWebhook.event);
  };
  return (
    <Button variant="default" loading={busy} aria-label={`Test ${url}`} onClick={() => void test()}>
      Test
    </Button>
  );
}

/** The actions that make sense in its state. Only an active webhook accepts a redrive. */
function offeredFor({ state, undeliveredCount }: Webhook): readonly Action[] {
  const active = state === "active";
  return [
    ...(active && undeliveredCount > 0 ? (["redriveWebhook"] as const) : []),
    "rotateWebhookSecret",
    active ? "disableWebhook" : "enableWebhook",
    "removeWebhook",
  ];
}

interface Outcome {
  failure?: Failure | undefined;
  made?: MadeSecret | null | undefined;
  redriven?: number | undefined;
}

async function carryOut(client: Client, action: Action, id: string): Promise<Outcome> {
  if (action === "rotateWebhookSecret") {
    const { data, error } = await client.mutation(ROTATE_SECRET, { id }).toPromise();
    return { failure: error && failureOf(error), made: data?.rotateWebhookSecret };
  }
  if (action === "redriveWebhook") {
    const { data, error } = await client.mutation(REDRIVE_WEBHOOK, { id }).toPromise();
    return { failure: error && failureOf(error), redriven: data?.redriveWebhook?.redriven };
  }
  const documents = {
    enableWebhook: ENABLE_WEBHOOK,
    disableWebhook: DISABLE_WEBHOOK,
    removeWebhook: REMOVE_WEBHOOK,
  };
  const { error } = await client.mutation(documents[action], { id }).toPromise();
  return { failure: error && failureOf(error) };
}
