"""``lobbyctl``: the command line for operators, technicians and scripts.

It is a client of the GraphQL API and has no other access to the lobby. `app` defines the command, `session` and
`sign_in` obtain access tokens, `client` sends requests, and `exits` defines the exit statuses. `commands` are the
subcommands, `documents` has the GraphQL documents, and `render` shows responses. From the
project it imports only the vocabulary of `lobby`. It is not part of the API's Lambda. This module imports nothing.
"""
