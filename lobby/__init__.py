"""The device-facing half of Device Lobby, in the lobby account.

`identity`, `wire` and `ledger.states` are pure; `ledger` is the only code that touches the tables;
`bouncer`, `receptionist` and `arrivals` are the Lambda handlers. Nothing is imported here, so that the
device client can take `lobby.wire` alone.
"""

__version__ = "0.2.0"
