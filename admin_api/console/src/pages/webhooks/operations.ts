/** The queries and mutations of the webhooks page. */
import { graphql, type ResultOf } from "../../api/graphql";

export const WEBHOOK_LIST = graphql(`
  query WebhookList {
    webhooks {
      id url events state reason failingSince previousSecretUntil createdBy createdAt undeliveredCount
    }
  }
`);

export const WEBHOOK_DELIVERIES = graphql(`
  query WebhookDeliveries($id: ID!, $first: Int!, $after: String) {
    webhookDeliveries(id: $id, first: $first, after: $after) {
      nodes { at event type attempt result status milliseconds nextAt }
      next
    }
  }
`);

export const UNDELIVERED_EVENTS = graphql(`
  query UndeliveredEvents($after: String) {
    webhooks { id undelivered(after: $after) { event type at result attempts } }
  }
`);

export const ADD_WEBHOOK = graphql(`
  mutation AddWebhook($url: String!, $events: [String!]) {
    addWebhook(url: $url, events: $events) { webhook { id url } secret }
  }
`);

export const ROTATE_SECRET = graphql(`
  mutation RotateWebhookSecret($id: ID!) {
    rotateWebhookSecret(id: $id) { webhook { id url } secret }
  }
`);

export const TEST_WEBHOOK = graphql(`
  mutation TestWebhook($id: ID!) { testWebhook(id: $id) { event } }
`);

export const ENABLE_WEBHOOK = graphql(`
  mutation EnableWebhook($id: ID!) { enableWebhook(id: $id) { id state } }
`);

export const DISABLE_WEBHOOK = graphql(`
  mutation DisableWebhook($id: ID!) { disableWebhook(id: $id) { id state } }
`);

export const REMOVE_WEBHOOK = graphql(`
  mutation RemoveWebhook($id: ID!) { removeWebhook(id: $id) { id } }
`);

export const REDRIVE_WEBHOOK = graphql(`
  mutation RedriveWebhook($id: ID!, $events: [String!]) {
    redriveWebhook(id: $id, events: $events) { id redriven }
  }
`);

export type Webhook = ResultOf<typeof WEBHOOK_LIST>["webhooks"][number];
export type UndeliveredEvent = ResultOf<typeof UNDELIVERED_EVENTS>["webhooks"][number]["undelivered"][number];
export type Delivery = ResultOf<typeof WEBHOOK_DELIVERIES>["webhookDeliveries"]["nodes"][number];
/** Stored only in the dialog that shows it. */
export type MadeSecret = NonNullable<ResultOf<typeof ADD_WEBHOOK>["addWebhook"]>;
