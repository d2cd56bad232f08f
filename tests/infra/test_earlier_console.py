"""The next deployment keeps the hashed files of the build that is deployed now, and only these."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.bundling import earlier_console
from infra.bundling.earlier_console import BUILD, DIRECTORY, keep, kept_files
from lobby.names import parse_target

LOBBY = parse_target("111111111111", "eu-central-1")
OLD = {f"{BUILD}/index.html": b"old", f"{BUILD}/sw.js": b"old", f"{BUILD}/assets/page-1.js": b"1"}
NEW = {"index.html": b"new", "assets/page-2.js": b"2"}


def test_the_hashed_files_of_the_deployed_build_are_kept() -> None:
    assert kept_files(OLD, NEW) == {"assets/page-1.js": b"1"}


def test_a_file_that_both_builds_have_is_not_kept_twice() -> None:
    shared = {f"{BUILD}/assets/common-1.js": b"c"}
    assert kept_files(OLD | shared, NEW | {"assets/common-1.js": b"c"}) == {"assets/page-1.js": b"1"}


def test_only_one_earlier_build_is_kept() -> None:
    assert kept_files({**OLD, f"{DIRECTORY}/assets/page-0.js": b"0"}, NEW) == {"assets/page-1.js": b"1"}


def test_deploying_the_same_build_again_keeps_what_it_kept() -> None:
    deployed = {f"{BUILD}/{name}": content for name, content in NEW.items()} | {f"{DIRECTORY}/assets/page-1.js": b"1"}
    assert kept_files(deployed, NEW) == {"assets/page-1.js": b"1"}


class Deployed:
    """The clients of an account with a stack whose pages' Lambda has this code, or with none."""

    def __init__(self, files: Mapping[str, bytes] | None, *, function: str = "device-lobby-pages") -> None:
        self.files, self.function, self.read = files, function, list[tuple[str, str]]()

    def __call__(self, _service: str) -> "Deployed":
        return self

    def get_template(self, **_: str) -> Any:
        if self.files is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "GetTemplate")
        bucket = {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${AWS::Region}"}
        properties = {"FunctionName": self.function, "Code": {"S3Bucket": bucket, "S3Key": "a.zip"}}
        other = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}}}
        role = {"Type": "AWS::IAM::Role", "Properties": {}}
        found = {"Type": "AWS::Lambda::Function", "Properties": properties}
        return {"TemplateBody": {"Resources": {"Role": role, "Other": other, "Pages": found}}}

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803  # boto3's names
        self.read.append((Bucket, Key))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            for name, content in (self.files or {}).items():
                opened.writestr(name, content)
        archive.seek(0)
        return {"Body": archive}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in NEW.items():
        path = tmp_path / BUILD / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def kept_in(root: Path) -> dict[str, bytes]:
    folder = root / DIRECTORY
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("function", ["device-lobby-pages", "device-lobby-admin-api"])
def test_they_are_read_from_the_code_of_the_deployed_lambda(root: Path, function: str) -> None:
    """Version 0.2.0 served pages with the API's Lambda."""
    clients = Deployed({**OLD, "lobby/names.py": b""}, function=function)
    assert keep(clients, LOBBY, root) is None
    assert clients.read == [("cdk-assets-111111111111-eu-central-1", "a.zip")]
    assert kept_in(root) == {"assets/page-1.js": b"1"}


def test_the_first_deployment_keeps_none_and_removes_those_of_another_lobby(root: Path) -> None:
    keep(Deployed(OLD), LOBBY, root)
    assert keep(Deployed(None), LOBBY, root) is None
    assert kept_in(root) == {}


def test_code_that_cannot_be_read_is_reported_and_the_deployment_continues(root: Path) -> None:
    class Refusing(Deployed):
        def get_object(self, **_: str) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    keep(Deployed(OLD), LOBBY, root)
    assert "AccessDenied" in str(keep(Refusing(OLD), LOBBY, root))
    assert kept_in(root) == {}


def test_a_name_with_folders_stays_in_the_directory(root: Path) -> None:
    keep(Deployed({f"{BUILD}/assets/../../../../x.js": b"x"}), LOBBY, root)
    assert kept_in(root) == {"assets/x.js": b"x"}
    assert earlier_console.ROOT not in root.parents
