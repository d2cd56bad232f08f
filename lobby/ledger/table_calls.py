"""How the ledger calls its tables: the settings of every PynamoDB model."""


class Calls:
    """The timeouts of every table. A device or a user is waiting, so a call times out early and is retried. The API's
    requests end after 30 s in any case."""

    connect_timeout_seconds = 2
    read_timeout_seconds = 5
    max_retry_attempts = 3
