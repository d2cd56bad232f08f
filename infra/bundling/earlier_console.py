"""Keeps the files of the console's previous build in the next deployment.

A page that was opened before a deployment later loads more files of its own build, such as the next page's script. The
names of these files contain hashes, so they do not collide with those of the new build. They are read from the code of
the deployed pages' Lambda, and written to `DIRECTORY`, which is packed next to the build. One earlier build is kept. If
the deployed code cannot be read, no files are kept, and the deployment reports this.
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from infra import stack_names
from lobby.deployment import NAMES
from lobby.names import Target

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = "admin_api/console/dist"
DIRECTORY: Final = "admin_api/console/earlier"
"""The directory is not in version control. It has the layout of `BUILD`, without the page."""
_ASSETS: Final = "assets/"
Clients = Callable[[str], Any]
"""Returns the boto3 client of a service in the lobby's account and Region, for example `session.client`."""


def keep(clients: Clients, lobby: Target, root: Path = ROOT) -> str | None:
    """Replace the files in `DIRECTORY` with the files that the next deployment keeps. Return why the deployed files
    could not be read; None if they were read or nothing is deployed."""
    built = _read(root / BUILD)
    try:
        code = _deployed_code(clients, lobby)
        kept = kept_files(_unpacked(code), built) if code else {}
    except (BotoCoreError, ClientError, zipfile.BadZipFile, KeyError) as error:
        _replace(root / DIRECTORY, {})
        return f"{type(error).__name__}: {error}"
    _replace(root / DIRECTORY, kept)
    return None


def kept_files(deployed: Mapping[str, bytes], built: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the hashed files that are served in addition to `built`, by their path in the build. `deployed` are the
    files of the deployed bundle. If the deployed build is the same, its kept files are kept again."""
    own, earlier = (_hashed(_below(folder, deployed)) for folder in (BUILD, DIRECTORY))
    is_same = own.keys() == _hashed(built).keys()
    return {name: content for name, content in (earlier if is_same else own).items() if name not in built}


def _below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name.removeprefix(f"{folder}/"): files[name] for name in files if name.startswith(f"{folder}/")}


def _hashed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.startswith(_ASSETS)}


def _deployed_code(clients: Clients, lobby: Target) -> bytes | None:
    """Return the deployed bundle of the pages' Lambda, from the bucket for assets. None: there is none."""
    cloudformation = clients("cloudformation")
    try:
        template = cloudformation.get_template(StackName=stack_names.LOBBY)["TemplateBody"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    resources = template["Resources"].values() if isinstance(template, Mapping) else ()
    names = (NAMES.name("pages"), NAMES.name("admin-api"))  # the first is newer
    properties = {each["Properties"].get("FunctionName"): each["Properties"] for each in resources if _is_lambda(each)}
    code = next((properties[name]["Code"] for name in names if name in properties), None)
    if code is None:
        return None
    found = clients("s3").get_object(Bucket=_bucket(code["S3Bucket"], lobby), Key=code["S3Key"])
    return bytes(found["Body"].read())


def _is_lambda(resource: Mapping[str, Any]) -> bool:
    return resource.get("Type") == "AWS::Lambda::Function"


def _bucket(name: Any, lobby: Target) -> str:
    """Return the name of the bucket for assets; the CDK refers to it by `Fn::Sub`."""
    text = str(name["Fn::Sub"] if isinstance(name, Mapping) else name)
    return text.replace("${AWS::AccountId}", lobby.account).replace("${AWS::Region}", lobby.region)


def _unpacked(code: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        wanted = [name for name in archive.namelist() if name.startswith((f"{BUILD}/", f"{DIRECTORY}/"))]
        return {name: archive.read(name) for name in wanted if not name.endswith("/")}


def _read(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def _replace(directory: Path, files: Mapping[str, bytes]) -> None:
    """Replace the content of the directory with `files`. Their names have no parent folders except `assets`."""
    assets = directory / _ASSETS
    assets.mkdir(parents=True, exist_ok=True)
    wanted = {Path(name).name: content for name, content in files.items()}
    for path in assets.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (assets / name).write_bytes(content)
