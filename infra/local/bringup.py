"""Brings the local deployment up: emulator, the lobby's stack, operators, a factory's CA, targets; then `lobby.json`.

The order is that of a real deployment, through the same doors: targets are registered through GraphQL by the
admin, who gets the ExternalId that the target's stack is then deployed with. Everything may be repeated; what is
there is kept, above all the ledger.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3

from infra.local import ledger_upgrade
from infra.local.api import Api
from infra.local.assembly import deploy, read_assembly
from infra.local.emulator import Emulator
from infra.local.errors import StartFailed
from infra.local.factory import Factory
from infra.local.lobby_file import NAME, LobbyFile, LocalOperator, LocalTarget
from infra.local.operators import ensure_operators, read_operators, write_operators
from infra.local.ports import choose_layout
from infra.local.synthesis import ROOT, synthesize
from infra.local.timeline import StepFailed, Timeline
from lobby.names import Target

STATE: Final = ROOT / ".local"
REGISTER: Final = """
mutation($account: String!, $region: String!, $name: String!) {
  registerTarget(account: $account, region: $region, name: $name) { externalId }
}"""
CHECK: Final = """
query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { findings { step ok message } }
}"""


class LocalLobby:
    """The local deployment in one state directory."""

    def __init__(
        self,
        state: Path,
        timeline: Timeline,
        gateway_port: int | None = None,
        mqtt_port: int | None = None,
        console_port: int | None = None,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.state, self._timeline = state, timeline
        self.layout = choose_layout(state / "cloud", gateway_port, mqtt_port, console_port)
        self.emulator = Emulator(self.layout)
        self.factory = Factory(state / "factory")
        timeline.logs = (self.layout.log_path,)

    def up(self) -> LobbyFile:
        """Everything running, and `lobby.json` written. Raises `StepFailed`."""
        step, lobby = self._timeline.step, self.layout.lobby
        (self.state / NAME).unlink(missing_ok=True)  # of a deployment that was killed
        with step("start the emulated AWS") as done:
            self.emulator.start()
            done.note = self.layout.endpoint_url
        with step("deploy the lobby's stack") as done:
            outputs = self._deploy(lobby, ())
            done.note = f"account {lobby.account}, {lobby.region}"
        self._bring_up_to_date()
        with step("make the operators"):
            operators = self._operators(outputs["UserPoolId"])
        file = self._file(outputs, operators)
        with step("register the factory's CA") as done:
            self.factory.register(self._session(lobby), lobby)
            done.note = str(self.factory.ca_path)
        admin = Api(file, file.operator("admin"))
        try:
            self._set_up_targets(admin)
        finally:
            admin.close()
        file.write(self.state)
        return file

    def _bring_up_to_date(self) -> None:
        """What an older version left in the tables."""
        url, lobby = self.layout.endpoint_url, self.layout.lobby
        clients = self._session(lobby).client
        if ledger_upgrade.is_older(clients("dynamodb")):
            with self._timeline.step("count the devices of an older ledger") as done:
                done.note = ledger_upgrade.recount(url, lobby)
        if ledger_upgrade.is_unanchored(clients("dynamodb"), clients("s3"), lobby):
            with self._timeline.step("anchor the histories of an older ledger") as done:
                done.note = ledger_upgrade.anchor(url, lobby)

    def down(self) -> None:
        """Stops the emulator; its state is kept."""
        (self.state / NAME).unlink(missing_ok=True)
        self.emulator.stop()

    def _set_up_targets(self, admin: Api) -> None:
        with self._timeline.step("register the targets") as done:
            contexts = tuple(self._registered(admin, target) for target in self.layout.targets)
            done.note = ", ".join(map(str, self.layout.targets))
        for target in self.layout.targets:
            with self._timeline.step("deploy a target's stack") as done:
                self._deploy(target, contexts)
                done.note = f"account {target.account}, {target.region}"
        with self._timeline.step("check the targets") as done:
            for target in self.layout.targets:
                self._check(admin, target)
            done.note = "every permission found"

    def _registered(self, admin: Api, target: Target) -> dict[str, str]:
        name = f"Local target in {target.region}"
        answer = admin.ask(REGISTER, account=target.account, region=target.region, name=name)["registerTarget"]
        return {"account": target.account, "region": target.region, "externalId": answer["externalId"]}

    def _check(self, admin: Api, target: Target) -> None:
        answer = admin.ask(CHECK, account=target.account, region=target.region)["checkTarget"]
        missing = [f"{each['step']}: {each['message']}" for each in answer["findings"] if not each["ok"]]
        if missing:
            raise StepFailed("check the targets", f"{target}: {'; '.join(missing)}", self._timeline.logs)

    def _deploy(self, where: Target, targets: tuple[dict[str, str], ...]) -> dict[str, str]:
        """The stack that belongs to `where`: the lobby's, or a target's."""
        out = self.state / "cdk.out" / ("targets" if targets else "lobby")
        context = {"lobby": str(self.layout.lobby), "local": "true", "targets": list(targets)}
        synthesize(out, context | ({"lobbyStack": "false"} if targets else {"consoleUrl": self.layout.console_url}))
        stack = f"DeviceLobbyTarget-{where.account}-{where.region}" if targets else "DeviceLobby"
        clients: Any = self._session(where).client
        return deploy(read_assembly(out, where.account, where.region)[stack], {}, clients)

    def _operators(self, pool: str) -> tuple[LocalOperator, ...]:
        cognito = self._session(self.layout.lobby).client("cognito-idp")
        kept = read_operators(self.state)
        operators = ensure_operators(cognito, pool, kept, self.layout.targets[0])
        if operators != kept:
            write_operators(self.state, operators)
        return operators

    def _file(self, outputs: dict[str, str], operators: tuple[LocalOperator, ...]) -> LobbyFile:
        layout = self.layout
        api = f"{layout.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/$default"
        return LobbyFile(
            graphql_url=f"{api}/graphql",
            console_url=layout.console_url,
            lobby_endpoint=layout.endpoint_address(layout.lobby),
            mqtt_port=layout.endpoint(layout.lobby).port,
            server_ca_path=str(layout.server_ca_path),
            device_ca_path=str(self.factory.ca_path),
            device_ca_key_path=str(self.factory.ca_key_path),
            aws_endpoint_url=layout.endpoint_url,
            lobby_account=layout.lobby.account,
            lobby_region=layout.lobby.region,
            user_pool_id=outputs["UserPoolId"],
            user_pool_client_id=outputs["UserPoolClientId"],
            targets=tuple(LocalTarget(t.account, t.region, layout.endpoint_address(t)) for t in layout.targets),
            operators=operators,
        )

    def _session(self, scope: Target) -> boto3.Session:
        return self.emulator.session(scope.account, scope.region)


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Holds the state directory for this process. Raises `StartFailed` STATE_IN_USE where another one has it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartFailed(
                "STATE_IN_USE", f"got {state}, which a running deployment holds, want it stopped first (Ctrl-C there)"
            ) from None
        yield
