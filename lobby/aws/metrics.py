"""The names of the metrics that Lambdas write to their logs and that alarms use.

CloudWatch extracts the metrics from the logs (embedded metric format), so no role needs a permission for them.
"""

from typing import Final

from lobby.deployment import NAMES

NAMESPACE: Final = NAMES.metrics("DeviceLobby")
HISTORY_TAMPERED: Final = "HistoryTampered"
"""Records of the history's stream that no code of the lobby can cause."""
TOKENS_REFUSED: Final = "TokensRefused"
"""Requests for a certificate without a valid token."""
CLAIMS_LIMITED: Final = "ClaimsLimited"
"""Requests of technicians that were refused because of too many claims or wrong codes."""
ARRIVALS_REJECTED: Final = "ArrivalsRejected"
"""Messages in the arrivals queue that are not authentic."""
EVENTS_UNDELIVERED: Final = "EventsUndelivered"
"""Events that a webhook has not accepted after all attempts."""
WEBHOOKS_DISABLED: Final = "WebhooksDisabled"
"""Webhooks that were disabled, because they accept nothing."""
LEASE_NOT_EXTENDED: Final = "LeaseNotExtended"
"""Runs of the lease renewal in the home Region that could not extend its lease."""
HOME_ENDING: Final = "HomeEnding"
"""Runs of the lease renewal in an old home that waits for the promotion of another Region to be completed."""
