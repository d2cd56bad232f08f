"""``lobbyctl``: the command line for operators, technicians and scripts.

It is a client of the GraphQL API and has no other access to the lobby. `app` defines the command, `session` and
`sign_in` obtain access tokens, `client` sends requests, and `exits` defines the exit statuses. From the project it
imports only `lobby.names`, `lobby.errors` and `lobby.wire`. It is not part of the API's Lambda. This module imports
nothing.
"""
