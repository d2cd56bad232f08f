"""Reading a synthesized assembly and packing its assets."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.local.assembly import read_assembly, zip_directory
from infra.local.errors import DeployFailed


def _write_assembly(directory: Path, manifest_files: dict[str, Any]) -> None:
    stack: dict[str, Any] = {"type": "aws:cloudformation:stack", "environment": "aws://1/r"}
    artifacts = {
        "Second": stack | {"properties": {"templateFile": "t2.json"}, "dependencies": ["First"]},
        "First": stack
        | {"properties": {"templateFile": "t1.json", "stackName": "one"}, "dependencies": ["First.assets"]},
        "First.assets": {"type": "cdk:asset-manifest", "properties": {"file": "First.assets.json"}},
    }
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (directory / "First.assets.json").write_text(json.dumps({"files": manifest_files}))


def _asset(path: str, packaging: str) -> dict[str, Any]:
    destination = {"bucketName": "b-${AWS::AccountId}-${AWS::Region}", "objectKey": f"{path}.key"}
    return {"source": {"path": path, "packaging": packaging}, "destinations": {"here": destination}}


def test_stacks_follow_their_dependencies_and_have_their_assets_without_the_template(tmp_path: Path) -> None:
    _write_assembly(tmp_path, {"a": _asset("code", "zip"), "t": _asset("t1.json", "file")})
    stacks = read_assembly(tmp_path, "100000000001", "eu-west-1")
    assert [(key, stack.name) for key, stack in stacks.items()] == [("First", "one"), ("Second", "Second")]
    (asset,) = stacks["First"].assets
    assert (asset.bucket, asset.key, asset.zipped) == ("b-100000000001-eu-west-1", "code.key", True)


def test_a_directory_without_an_assembly_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match=f"BAD_ASSEMBLY: cannot read {tmp_path}"):
        read_assembly(tmp_path, "100000000001", "eu-west-1")


def test_the_same_files_give_the_same_zip_in_any_order_of_writing(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory, names in ((first, ("b.py", "a/x.py")), (second, ("a/x.py", "b.py"))):
        for name in names:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    assert zip_directory(first) == zip_directory(second)
    assert zipfile.ZipFile(io.BytesIO(zip_directory(first))).namelist() == ["a/x.py", "b.py"]
