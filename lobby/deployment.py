"""The names of the lobby that this process serves, from the environment of the Lambda.

Table names belong to classes, which exist once in a process, so they are known when modules are imported. Deployments,
which may handle several lobbies, use `LobbyNames` directly.
"""

import os
from typing import Final

from lobby.lobby_names import LobbyNames

NAMES: Final = LobbyNames.of_environment(os.environ)
