"""``lobbyctl``: the command line for operators, technicians and scripts.

It is a client of the GraphQL API and has no other access to the lobby. `app` defines the command, and `exits` the exit
statuses. `commands` are the subcommands: they read what the user gives (`inputs`), send `documents` (`api`, or `bulk`
for many devices), and show the responses (`render`). `sign_in` obtains access tokens. From the project it imports only
the vocabulary of `lobby`. It is not part of the API's Lambda. This module imports nothing.
"""
