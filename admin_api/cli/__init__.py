"""``lobbyctl``: the lobby from a terminal, for people and for programs.

It speaks to the GraphQL API as any signed-in person does, and knows nothing that the API does not tell. `app` is the
command, `session` who is signed in, `client` the HTTP, `exits` what an exit status means. It runs without the rest:
of ours it imports `lobby`'s words alone, and it is no part of the API's Lambda. Nothing is imported here.
"""
