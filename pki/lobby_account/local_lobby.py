"""Finds the local cloud that `./deploy.sh local` runs: its `.local/lobby.json`, in the current directory or above it.

The file contains the secret of the local accounts. A file of another user is rejected, because that user could redirect
the registration to another address.
"""

import os
from pathlib import Path
from typing import Final

from lobby import strict_json
from lobby.names import shown
from pki.errors import RegistrationError
from pki.lobby_account.account import ConnectionOptions

NAME: Final = Path(".local") / "lobby.json"
PROJECT: Final = Path(__file__).resolve().parents[2]
_FIELDS: Final = ("aws_endpoint_url", "aws_secret_access_key", "lobby_account", "lobby_region")


def local_options(directory: Path, project: Path = PROJECT) -> ConnectionOptions:
    """Return how to reach the local cloud. Raise `RegistrationError` NO_LOBBY."""
    places = [*(above / NAME for above in (directory, *directory.parents)), project / NAME]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise RegistrationError("NO_LOBBY", f"got no {NAME} in {directory} or above, want it: run ./deploy.sh local")
    if path.stat().st_uid != os.getuid():
        raise RegistrationError("NO_LOBBY", f"got {path}, which belongs to another user, want your own")
    try:
        body = strict_json.loads(path.read_text())
        endpoint, secret, account, region = (str(body[name]) for name in _FIELDS)
        regions = [str(each["region"]) for each in body.get("regions", ())]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise RegistrationError(
            "NO_LOBBY", f"got {path} ({shown(str(err))}), want the lobby.json of a local deployment"
        ) from None
    region = ",".join(regions) or region
    return ConnectionOptions(region=region, endpoint_url=endpoint, access_key=account, secret=secret)
