"""Starts the local deployment: emulator, lobby stack, operators, manufacturer's CA, targets, then `lobby.json`.

The steps and interfaces are the same as in a deployment to AWS: the administrator registers each target through GraphQL
and receives the ExternalId with which the target's stack is deployed. Every step can be repeated; existing state, above
all the ledger, is kept.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from infra.bundling import earlier_console
from infra.doors.vending_settings import settings_with
from infra.local import ledger_upgrade, local_regions
from infra.local.api import Api
from infra.local.assembly import deploy, read_assembly
from infra.local.emulator import Emulator, LocalSession
from infra.local.errors import StartFailed
from infra.local.layout import Layout
from infra.local.lobby_file import NAME, LobbyFile, LocalOperator, LocalRegion, LocalTarget
from infra.local.local_regions import STORED, LobbyRegions
from infra.local.manufacturer import FOLDER, Manufacturer
from infra.local.operators import ensure_operators, read_operators, write_operators
from infra.local.ports import choose_layout
from infra.local.signing_key import signing_key
from infra.local.strictness import RELAXED, Strictness
from infra.local.synthesis import ROOT, synthesize
from infra.local.timeline import StepFailed, Timeline
from infra.profile_files import DIRECTORY, read_profiles
from infra.regions.steps import streams_of
from lobby.deployment import NAMES
from lobby.domain.targets.profile import Profiles
from lobby.errors import InvalidInput
from lobby.names import Target

STATE: Final = ROOT / (f".local-{NAMES.id}" if NAMES.id else ".local")
REGISTER: Final = """
mutation($account: String!, $region: String!, $name: String!, $profiles: [String!]) {
  registerTarget(account: $account, region: $region, name: $name, profiles: $profiles) { externalId }
}"""
_UNCONFIRMED: Final = "not confirmed"
CHECK: Final = """
query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { findings { step ok message } }
}"""


class LocalLobby:
    """The local deployment in one state directory."""

    def __init__(  # noqa: PLR0913  # each is an option of the command line
        self,
        state: Path,
        timeline: Timeline,
        gateway_port: int | None = None,
        mqtt_port: int | None = None,
        console_port: int | None = None,
        strictness: Strictness = RELAXED,
        profiles_from: Path | None = None,
        layout: Layout | None = None,
        *,
        regions: LobbyRegions = STORED,
        signing: bool = False,
        durable: bool = True,
    ) -> None:
        """`layout` is the layout of a running local cloud, with the accounts of this lobby. None: start a new local
        cloud. `signing`: the lobby may sign devices' certificates with a key of the local cloud. `durable`: as for
        `Emulator`."""
        state.mkdir(parents=True, exist_ok=True)
        self.state, self._timeline, self._profiles_from = state, timeline, profiles_from
        self._signing = signing
        self.layout = layout or choose_layout(state / "cloud", gateway_port, mqtt_port, console_port, regions.number)
        self.regions = regions
        self.emulator = Emulator(self.layout, strictness, durable=durable)
        self.manufacturer = Manufacturer(state / FOLDER)
        timeline.logs = (self.layout.log_path,)

    def up(self) -> LobbyFile:
        """Start and deploy everything, write `lobby.json` and return its content. Raise `StepFailed`."""
        (self.state / NAME).unlink(missing_ok=True)  # left by a killed deployment
        with self._timeline.step("emulated AWS started") as step:
            self.emulator.start()
            step.note = self.layout.endpoint_url
        return self.deploy()

    def deploy(self) -> LobbyFile:
        """Deploy everything to the running cloud, write `lobby.json` and return its content. Raise `StepFailed`."""
        timeline, lobby = self._timeline, self.layout.lobby
        with timeline.step("lobby stack deployed") as step:
            if problem := earlier_console.keep(self._session(lobby).client, lobby):
                timeline.print(f"the console's earlier files are not kept: {problem}")
            outputs = self._deploy(lobby, ())
            step.note = f"account {lobby.account}, {lobby.region}"
        self._upgrade_ledger()
        with timeline.step("operators created"):
            operators = self._operators(lobby, outputs["UserPoolId"])
        others = [self._deploy_region(place) for place in self.layout.places()[1:]]
        file = self._file(outputs, operators)
        with timeline.step("manufacturer's CA registered") as step:
            for place in self.layout.places():
                self.manufacturer.register(self._session(place), place)
            step.note = str(self.manufacturer.ca_path)
        if others:
            file = replace(file, regions=(local_regions.entry(self.layout, lobby, outputs), *others))
            with timeline.step("home Region set"):
                local_regions.begin_home(self._session(lobby))
        admin = Api(file, file.operator("admin"))
        try:
            self._set_up_targets(admin)
        finally:
            admin.close()
        file.write(self.state)
        return file

    def _deploy_region(self, place: Target) -> LocalRegion:
        """Deploy the lobby's stack in another Region, with the same operators."""
        with self._timeline.step("lobby stack of another Region deployed") as step:
            outputs = self._deploy(place, ())
            self._operators(place, outputs["UserPoolId"])
            step.note = place.region
        self._anchor(place)
        return local_regions.entry(self.layout, place, outputs)

    def _upgrade_ledger(self) -> None:
        """Upgrade the tables of an earlier version."""
        session, lobby = self._session(self.layout.lobby), self.layout.lobby
        clients = session.client
        if ledger_upgrade.is_uncounted(clients("dynamodb")):
            with self._timeline.step("devices of an earlier version counted") as step:
                step.note = ledger_upgrade.recount(session, lobby)
        self._anchor(lobby)

    def _anchor(self, place: Target) -> None:
        """Anchor the entries that were written before this Region had a notary."""
        session = self._session(place)
        if ledger_upgrade.is_unanchored(session.client("dynamodb"), session.client("s3"), place):
            with self._timeline.step("earlier histories anchored") as step:
                step.note = ledger_upgrade.anchor(session, place)

    def down(self) -> None:
        """Stop the emulator. Its state is kept."""
        (self.state / NAME).unlink(missing_ok=True)
        self.emulator.stop()

    def _set_up_targets(self, admin: Api) -> None:
        with self._timeline.step("targets registered") as step:
            contexts = tuple(self._register_target(admin, target) for target in self.layout.targets)
            step.note = ", ".join(map(str, self.layout.targets))
        for target in self.layout.targets:
            with self._timeline.step("target stacks deployed") as step:
                self._deploy(target, contexts)
                step.note = f"account {target.account}, {target.region}"
        with self._timeline.step("targets checked") as step:
            for target in self.layout.targets:
                self._check_target(admin, target)
            step.note = "all permissions present"

    def _register_target(self, admin: Api, target: Target) -> dict[str, Any]:
        """Register `target` with all profiles and return its CDK context."""
        name, profiles = f"Local target in {target.region}", sorted(self._profiles().by_name)
        where = {"account": target.account, "region": target.region}
        result = admin.ask(REGISTER, **where, name=name, profiles=profiles)["registerTarget"]
        return {**where, "externalId": result["externalId"], "profiles": profiles}

    def _profiles(self) -> Profiles:
        try:
            return read_profiles(self._profiles_from or DIRECTORY)
        except InvalidInput as error:
            raise StartFailed(error.code, error.message) from None

    def _check_target(self, admin: Api, target: Target) -> None:
        """Check the target. The lobby confirms the subscription of a new target soon after its deployment."""
        step, last = "targets checked", list[str]()

        def look() -> bool | None:
            last[:] = self._missing(admin, target)
            return None if last and all(_UNCONFIRMED in each for each in last) else not last

        if not self._timeline.wait_for(step, look, lambda: f"{target}: {'; '.join(last)}"):
            raise StepFailed(step, f"{target}: {'; '.join(last)}", self._timeline.logs)

    @staticmethod
    def _missing(admin: Api, target: Target) -> list[str]:
        result = admin.ask(CHECK, account=target.account, region=target.region)["checkTarget"]
        return [f"{each['step']}: {each['message']}" for each in result["findings"] if not each["ok"]]

    def _deploy(self, scope: Target, targets: tuple[dict[str, Any], ...]) -> dict[str, str]:
        """Deploy the stacks of `scope` (the lobby's, or a target's if there are `targets`) and return their outputs."""
        first = self.layout.lobby
        of_lobby = "lobby" if scope == first else f"lobby-{scope.region}"
        out = self.state / "cdk.out" / ("targets" if targets else of_lobby)
        context = {"lobby": str(first if targets else scope), "local": "true", "targets": list(targets)}
        context |= local_regions.context(self.layout, self.regions.lease_seconds)
        if self._profiles_from:
            context["profiles"] = str(self._profiles_from)
        synthesize(out, context | ({"lobbyStack": "false"} if targets else self._lobby_context(scope)))
        outputs: dict[str, str] = {}
        for stack in read_assembly(out, scope.account, scope.region).values():
            if stack.environment == f"aws://{scope.account}/{scope.region}":
                outputs |= deploy(stack, {}, self._session(scope).client)
        return outputs

    def signing_key(self) -> str:
        """Return the ARN of the key in the local cloud that may sign devices' certificates."""
        return signing_key(self._session(self.layout.lobby).client("kms"))

    def _lobby_context(self, place: Target) -> dict[str, str]:
        """Return the settings of the lobby's stack in a Region: devices trust this cloud's own root, and webhooks can
        have receivers on this machine. Only the first Region has a console on its own port."""
        layout, root = self.layout, self.layout.server_ca_path.read_text()
        is_first, tables = place == layout.lobby, self._session(place).client("dynamodb")
        own = {"consoleUrl": layout.console_url} if is_first else streams_of(tables)
        key = {"signingKeys": self.signing_key()} if self._signing else {}
        return {
            **own,
            **key,
            "deviceEndpoint": f"{layout.server_name(place)}:{layout.endpoint(place).port}",
            "vendingSettings": settings_with(root, root),
            "webhookRoots": str(self.layout.webhook_roots_path.resolve()),
        }

    def _operators(self, place: Target, pool: str) -> tuple[LocalOperator, ...]:
        cognito = self._session(place).client("cognito-idp")
        stored = read_operators(self.state)
        operators = ensure_operators(cognito, pool, stored, self.layout.targets[0])
        if operators != stored:
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
            mqtt_alpn_port=layout.alpn_port,
            server_ca_path=str(layout.server_ca_path),
            device_ca_path=str(self.manufacturer.ca_path),
            device_ca_key_path=str(self.manufacturer.ca_key_path),
            aws_endpoint_url=layout.endpoint_url,
            aws_secret_access_key=self.emulator.secret,
            lobby_account=layout.lobby.account,
            lobby_region=layout.lobby.region,
            user_pool_id=outputs["UserPoolId"],
            user_pool_client_id=outputs["UserPoolClientId"],
            provisioning_template=outputs["ProvisioningTemplate"],
            targets=tuple(LocalTarget(t.account, t.region, layout.endpoint_address(t)) for t in layout.targets),
            operators=operators,
        )

    def _session(self, scope: Target) -> LocalSession:
        return self.emulator.session(scope.account, scope.region)


@contextmanager
def exclusive_use(state: Path) -> Iterator[None]:
    """Lock the state directory for this process. Raise `StartFailed` STATE_IN_USE if another process has locked it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StartFailed(
                "STATE_IN_USE", f"got {state}, which a running deployment uses; stop that deployment first (Ctrl-C)"
            ) from None
        yield
