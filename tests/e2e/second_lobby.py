"""Deploys a second lobby to a running local cloud, and destroys it: `python -m tests.e2e.second_lobby deploy|destroy
STATE CLOUD`, in a separate process with `LOBBY_ID`, because names are read when modules are imported.

It is in the account of the first lobby, in another Region, and shares the first target with it.
"""

import sys
from dataclasses import astuple, replace
from pathlib import Path
from typing import Final

from infra.local.bringup import LocalLobby
from infra.local.layout import Layout
from infra.local.ports import LAYOUT_FILE
from infra.local.timeline import Timeline
from infra.teardown.lobby import LobbyRemoval
from infra.teardown.target import TargetRemoval
from lobby.names import Target, parse_region

REGION: Final = parse_region("eu-central-1")


def layout_next_to(first: Layout) -> Layout:
    """Return the accounts of the second lobby in the cloud of the first."""
    lobby = Target(first.lobby.account, REGION)
    return replace(first, lobby=lobby, targets=first.targets[:1])


def main() -> None:
    action, state, cloud = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    stored = Layout.from_json((cloud / LAYOUT_FILE).read_text())
    local = LocalLobby(state, Timeline(), layout=layout_next_to(replace(stored, state_dir=cloud)))
    if action == "deploy":
        local.deploy()
        # The cloud opens the endpoint of an account and Region at DescribeEndpoint, which `./deploy.sh aws` calls.
        local.emulator.session(*astuple(local.layout.lobby)).client("iot").describe_endpoint(
            endpointType="iot:Data-ATS"
        )
        return
    target, lobby = local.layout.targets[0], local.layout.lobby
    for removal, where in ((TargetRemoval, target), (LobbyRemoval, lobby)):
        session = local.emulator.session(*astuple(where))
        removal(session, where, print, poll=0.2).run(keep_devices=False)


if __name__ == "__main__":
    main()
