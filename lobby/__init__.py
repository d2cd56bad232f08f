"""The device-facing half of Device Lobby, in the lobby account.

`names`, `errors`, `wire` and `settings` define the vocabulary and import no other module of this project. `domain` is
pure logic. `ledger` (the device registry) is the only code that accesses the tables. `doors`, `receptionist`,
`arrivals` and `notary` are Lambda handlers. Nothing is imported here, so that the device client can import `lobby.wire`
alone.
"""

__version__ = "0.2.0"
