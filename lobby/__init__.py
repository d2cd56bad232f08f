"""The device-facing half of Device Lobby, in the lobby account.

The vocabulary (`names`, `errors`, `wire`, `text`, `settings` and others) imports no other code of this project.
`domain` is pure logic. `ledger` (the device registry) is the only code that accesses the tables. `aws` has the Lambdas'
common AWS code. The Lambdas are in `doors` (devices join), `receptionist`, `connections`, `arrivals`, `notary`,
`publisher`, `lease_renewal` and `webhooks`. `contracts` defines the messages between Lambdas. Nothing
is imported here, so that the device client can import `lobby.wire` alone.
"""

__version__ = "0.2.0"
