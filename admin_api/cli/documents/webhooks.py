"""The GraphQL documents about webhooks, alerts and the activity log. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_FIELDS: Final = """
  id url events state reason failingSince previousSecretUntil createdBy createdAt undeliveredCount"""
_WITH_SECRET: Final = f"{{ webhook {{ {_FIELDS} }} secret }}"

WEBHOOKS: Final = Document(f"query {{ webhooks {{ {_FIELDS} }} }}")
UNDELIVERED: Final = Document("""
query { webhooks { id undelivered { event type at result attempts } } }""")
DELIVERIES: Final = Document("""
query($id: ID!, $first: Int!, $after: String) {
  webhookDeliveries(id: $id, first: $first, after: $after) {
    nodes { at event type attempt result status milliseconds nextAt } next
  }
}""")
ADD_WEBHOOK: Final = Document(
    f"mutation($url: String!, $events: [String!]) {{ addWebhook(url: $url, events: $events) {_WITH_SECRET} }}",
    repeatable=False,
)
ROTATE_SECRET: Final = Document(
    f"mutation($id: ID!) {{ rotateWebhookSecret(id: $id) {_WITH_SECRET} }}", repeatable=False
)
DISABLE_WEBHOOK: Final = Document(f"mutation($id: ID!) {{ disableWebhook(id: $id) {{ {_FIELDS} }} }}")
ENABLE_WEBHOOK: Final = Document(f"mutation($id: ID!) {{ enableWebhook(id: $id) {{ {_FIELDS} }} }}")
REMOVE_WEBHOOK: Final = Document("mutation($id: ID!) { removeWebhook(id: $id) { id } }", repeatable=False)
TEST_WEBHOOK: Final = Document("mutation($id: ID!) { testWebhook(id: $id) { event } }", repeatable=False)
REDRIVE_WEBHOOK: Final = Document("""
mutation($id: ID!, $events: [String!]) { redriveWebhook(id: $id, events: $events) { id redriven missing more }
}""")

ALERTS: Final = Document("query { alerts { email confirmed } }")
ADD_ALERT: Final = Document("""
mutation($email: String!, $notices: [String!]) {
  addAlert(email: $email, notices: $notices) { email confirmed }
}""")
ACTIVITY: Final = Document("""
query($filter: ActivityFilter, $first: Int!, $after: String) {
  activity(filter: $filter, first: $first, after: $after) {
    nodes { at actor event certid user seq devicename before after target left enrolment reason } next
  }
}""")

ALL: Final = (
    ALERTS,
    ADD_ALERT,
    ACTIVITY,
    WEBHOOKS,
    UNDELIVERED,
    DELIVERIES,
    ADD_WEBHOOK,
    ROTATE_SECRET,
    DISABLE_WEBHOOK,
    ENABLE_WEBHOOK,
    REMOVE_WEBHOOK,
    TEST_WEBHOOK,
    REDRIVE_WEBHOOK,
)
