"""A command that ends before or after one of its calls, to AWS or to the file system, and the AWS that it calls.

AWS is kept in memory: moto has no list of CAs, and these tests run each command many times.
"""
# ruff: noqa: N803  # AWS's names of parameters

import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import pytest
from botocore.exceptions import ClientError
from cryptography import x509

from lobby.names import parse_account, parse_region
from pki.ca.certificates import fingerprint
from pki.lobby_account.account import ConnectionOptions, Lobby

FILE_CALLS: Final = ("open", "fsync", "link", "replace", "unlink")


class Killed(BaseException):
    """The process ends here. Each further call is denied too, so no clean-up code has an effect."""


@dataclass
class Process:
    """Counts the moments before and after each call, and ends at one of them."""

    ends_at: int | None = None
    moments: int = 0
    made: list[str] = field(default_factory=list)

    def call(self, name: str, original: Callable[[], Any]) -> Any:
        self._moment()
        self.made.append(name)
        try:
            return original()
        finally:
            self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.ends_at is not None and self.moments >= self.ends_at:
            raise Killed

    def watch_files(self, patched: pytest.MonkeyPatch) -> None:
        for name in FILE_CALLS:
            patched.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **named: self.call(name, lambda: original(*args, **named))


class NotFound(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ResourceNotFoundException"}}, "")


class AlreadyExists(ClientError):
    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ResourceAlreadyExistsException"}}, "")


EXCEPTIONS: Final = SimpleNamespace(ResourceNotFoundException=NotFound, ResourceAlreadyExistsException=AlreadyExists)


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "")


@dataclass
class Cloud:
    """AWS IoT's CAs and a bucket in one Region, with AWS's rules: a CA is registered once, and deleted only if it is
    inactive; a conditional write fails if the object has changed."""

    cas: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def register_ca_certificate(self, caCertificate: str, certificateMode: str, **active: bool) -> Any:
        assert active == {"setAsActive": False, "allowAutoRegistration": False}
        ca_id = fingerprint(x509.load_pem_x509_certificate(caCertificate.encode()))
        if ca_id in self.cas:
            raise AlreadyExists
        self.cas[ca_id] = {
            "certificateId": ca_id,
            "certificatePem": caCertificate,
            "certificateMode": certificateMode,
            "status": "INACTIVE",
            "autoRegistrationStatus": "DISABLE",
        }
        return {"certificateId": ca_id}

    def update_ca_certificate(self, certificateId: str, newStatus: str, newAutoRegistrationStatus: str) -> Any:
        self.cas[certificateId] |= {"status": newStatus, "autoRegistrationStatus": newAutoRegistrationStatus}

    def describe_ca_certificate(self, certificateId: str) -> Any:
        if certificateId not in self.cas:
            raise NotFound
        return {"certificateDescription": dict(self.cas[certificateId])}

    def delete_ca_certificate(self, certificateId: str) -> Any:
        if self.cas[certificateId]["status"] != "INACTIVE":
            raise _error("CertificateStateException")
        del self.cas[certificateId]

    def list_ca_certificates(self) -> Any:
        return {"certificates": [{"certificateId": ca_id} for ca_id in self.cas]}

    def list_certificates_by_ca(self, caCertificateId: str) -> Any:
        assert caCertificateId in self.cas
        return {"certificates": []}

    def head_bucket(self, **_: str) -> Any: ...

    def get_object(self, Key: str, **_: str) -> Any:
        if Key not in self.objects:
            raise _error("NoSuchKey")
        return {"Body": io.BytesIO(self.objects[Key]), "ETag": self._etag(Key)}

    def put_object(self, Key: str, Body: bytes, IfMatch: str = "", IfNoneMatch: str = "", **_: str) -> Any:
        if (IfMatch or IfNoneMatch) != (self._etag(Key) if Key in self.objects else "*"):
            raise _error("PreconditionFailed")
        self.objects[Key] = Body

    def _etag(self, key: str) -> str:
        return f'"{zlib.crc32(self.objects[key])}"'


@dataclass
class Client:
    """A client of AWS IoT or S3 in the form of boto3."""

    cloud: Cloud
    process: Process
    exceptions: ClassVar[Any] = EXCEPTIONS

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self.cloud, operation)
        return lambda **params: self.process.call(operation, lambda: method(**params))

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **params: iter([getattr(self, operation)(**params)]))


@dataclass
class Lobbies:
    """A lobby in each Region, as `pki.lobby_account.lobby_selection.connect` returns it to the running process."""

    clouds: dict[str, Cloud]
    process: Process = field(default_factory=Process)

    def connect(self, options: ConnectionOptions) -> Lobby:
        region = options.region or ""
        client: Any = Client(self.clouds[region], self.process)
        return Lobby(parse_account("111111111111"), parse_region(region), "bucket", client, client)
