"""Requests of devices to the vending door of the deployed lobby, and the tokens and enrolments for them."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from infra.local.synthesis import ROOT
from pki.devices.credentials import DevicePaths
from tests import certificates as make
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment

EXAMPLE: Final = ROOT / "device" / "examples" / "vending.sh"
CREATE: Final = """
mutation($name: String!, $match: EnrolmentMatchInput, $allocation: AllocationInput, $limit: Int) {
  createEnrolment(name: $name, door: "token", match: $match, allocation: $allocation, limit: $limit) { name }
}"""
TOKEN: Final = """
mutation($enrolment: String!, $uses: Int!, $name: String) {
  createEnrolmentToken(enrolment: $enrolment, uses: $uses, thingName: $name) { authorization }
}"""
REVOKE: Final = "mutation($token: String!) { revokeEnrolmentToken(identifier: $token) { state } }"


@dataclass
class VendingDoor:
    """The door, and an enrolment for one test."""

    deployed: Deployment
    enrolment: str

    def open(self, **more: Any) -> None:
        match = {"namePattern": f"{self.enrolment}-*"}
        self.deployed.api("admin").ask(CREATE, name=self.enrolment, match=match, **more)

    def token(self, uses: int = 1, name: str | None = None) -> str:
        """Create a token and return the header's value."""
        answer = self.deployed.api().ask(TOKEN, enrolment=self.enrolment, uses=uses, name=name)
        return str(answer["createEnrolmentToken"]["authorization"])

    def revoke(self, token: str) -> None:
        self.deployed.api().ask(REVOKE, token=token.split(maxsplit=1)[0])

    def post(self, token: str | None, name: str, key: int | None = None, **more: Any) -> httpx.Response:
        """Request a certificate for `name`, with a CSR of the key with this number."""
        csr = {"csr": make.signing_request(name, key)} if key is not None else {}
        return self.send("POST", token, json={"thingName": name, "version": "1.0", **csr, **more})

    def send(self, method: str, token: str | None, **request: Any) -> httpx.Response:
        headers = {**({"authorization": token} if token else {}), **request.pop("headers", {})}
        with httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            return client.request(method, f"{self.deployed.file.console_url}register", headers=headers, **request)

    def refusals(self) -> dict[str, int]:
        found = self.deployed.api().ask("{ enrolments { name refusals { reason count } } }")["enrolments"]
        [own] = [each["refusals"] for each in found if each["name"] == self.enrolment]
        return {each["reason"]: each["count"] for each in own}

    def run_example(self, token: str, name: str, folder: Path) -> "subprocess.CompletedProcess[str]":
        """Run the example in `folder`, where it writes its files."""
        folder.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "LOBBY_TOKEN": token, "HELLO": "no"}
        command = ["sh", str(EXAMPLE), self.deployed.file.console_url, name, "1.0"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def files_of(folder: Path, name: str) -> DevicePaths:
    """Return the example's files under the names that the tests' devices have."""
    paths = DevicePaths.of(folder, name)
    paths.certificate.write_bytes((folder / "device.cert.pem").read_bytes())
    return DevicePaths(paths.certificate, paths.certificate, folder / "device.key.pem", paths.label)
