"""The Lambdas' bundles: their content, imports of the handlers, and reproducible builds."""

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.bundling import bundles, bytecode
from infra.bundling.bundle_files import MAX_STATIC
from infra.bundling.bundles import ADMIN_API, AWS, BOUNCER, CORE, Bundle, Platform
from infra.bundling.bytecode import Interpreter
from infra.errors import BundleFailed
from infra.parts.functions import FUNCTIONS, Code, Function
from tests.infra.templates import settings

ALL = (BOUNCER, CORE, ADMIN_API)
ROOT = Path(__file__).parents[2]
RUNTIME_MODULES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")


@pytest.fixture(scope="module", params=ALL, ids=lambda bundle: bundle.name)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    bundle: Bundle = request.param
    return bundle


def _names(requirements: str) -> set[str]:
    return {line.split("==")[0] for line in requirements.splitlines() if line[:1].isalpha()}


def test_aws_gets_the_pinned_sdk_and_every_requirement_keeps_its_hash(bundle: Bundle) -> None:
    pinned = _names(bundle.requirements.read_text())
    kept = bundles.kept_requirements(bundle, AWS)
    assert _names(kept) == pinned > {"botocore", "urllib3"}
    assert kept.count("==") <= kept.count("--hash=sha256:")


def test_the_emulators_lambdas_have_the_sdk_from_this_environment(bundle: Bundle) -> None:
    pinned = _names(bundle.requirements.read_text())
    assert _names(bundles.kept_requirements(bundle, bundles.this_machine())) == pinned - bundles.SDK_PACKAGES


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("botocore/data/iot/2015-05-28/service-2.json.gz", True),
        ("botocore/data/iot/2015-05-28/endpoint-rule-set-1.json.gz", True),
        ("botocore/data/iot/2015-05-28/examples-1.json", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("botocore/data/_retry.json", True),
        ("botocore/client.py", True),
        ("pynamodb/models.pyi", False),
        ("six-1.17.0.dist-info/RECORD", False),
    ],
)
def test_the_sdk_has_the_models_of_the_services_that_lambdas_call(name: str, kept: bool) -> None:
    assert bundles.is_kept(name) is kept


def test_every_service_that_lambdas_call_has_its_model() -> None:
    sources = [path for folder in ("lobby", "commissioner", "admin_api") for path in (ROOT / folder).rglob("*.py")]
    called = {name for path in sources for name in re.findall(r'client\(\s*"([a-z0-9-]+)"', path.read_text())}
    assert called | {"dynamodb"} == bundles.SDK_SERVICES


def test_a_bundle_contains_our_packages_and_no_unused_files(bundle: Bundle) -> None:
    names = zipfile.ZipFile(bundles.build(bundle, bundles.this_machine()).path).namelist()
    tops = {name.split("/")[0] for name in names}
    assert set(bundle.packages) <= tops
    assert not {"botocore", "boto3", "device", "pki", "infra", "tests"} & tops
    assert not [name for name in names if name.endswith((".pyi", "/RECORD")) or "/tests/" in name]


def test_every_module_of_a_bundle_has_byte_code_next_to_its_source(bundle: Bundle) -> None:
    names = set(zipfile.ZipFile(bundles.build(bundle, bundles.this_machine()).path).namelist())
    sources = {name for name in names if name.endswith(".py")}
    assert {name for name in names if name.endswith(".pyc")} == set(map(importlib.util.cache_from_source, sources))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_a_handler_imports_from_its_bundle_and_the_runtime_only(function: Function, tmp_path: Path) -> None:
    """In an isolated Python that sees the unpacked bundle and the packages of Lambda's runtime."""
    code, runtime = tmp_path / "code", tmp_path / "runtime"
    zipfile.ZipFile(bundles.build(function.bundle, bundles.this_machine()).path).extractall(code)
    runtime.mkdir()
    for name in RUNTIME_MODULES:
        _link(name, runtime)
    module, _, attribute = function.handler.rpartition(".")
    script = (
        f"import sys; sys.path[:0] = [{str(code)!r}, {str(runtime)!r}]\n"
        f"import {module} as imported\n"
        f"assert callable(imported.{attribute})\n"
        f"assert imported.__file__.startswith({str(code)!r})"
    )
    environment = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    result = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr


def _link(name: str, directory: Path) -> None:
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.origin is not None:
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)


def test_the_same_inputs_give_the_same_bytes_and_are_built_once(tmp_path: Path) -> None:
    one = bundles.build(CORE, bundles.this_machine(), tmp_path / "one")
    other = bundles.build(CORE, bundles.this_machine(), tmp_path / "other")
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.sha256 == other.sha256
    written = one.path.stat().st_mtime_ns
    assert bundles.build(CORE, bundles.this_machine(), tmp_path / "one").path.stat().st_mtime_ns == written
    assert {path.name.split("-")[0] for path in (tmp_path / "one").iterdir()} == {"core", "dependencies"}


def test_an_edit_of_our_code_does_not_reinstall_dependencies(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles.build(SMALL, AWS, own_root / "cache")
    monkeypatch.setattr(bundles, "_install", None)
    (own_root / "small" / "__init__.py").write_text("answer = 43\n")
    built = bundles.build(SMALL, AWS, own_root / "cache")
    assert zipfile.ZipFile(built.path).read("small/__init__.py") == b"answer = 43\n"


def test_only_the_newest_bundles_are_cached(own_root: Path) -> None:
    for answer in range(6):
        (own_root / "small" / "__init__.py").write_text(f"answer = {answer}\n")
        newest = bundles.build(SMALL, AWS, own_root / "cache").path
    kept = list((own_root / "cache").glob("small-*.zip"))
    assert newest in kept
    assert len(kept) == 3


@pytest.fixture
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one package, no dependencies and no byte code."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "small.txt").write_text("six==1.17.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").write_text("answer = 42\n")
    monkeypatch.setattr(bundles, "ROOT", tmp_path)
    monkeypatch.setattr(bundles, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(bundles, "_install", lambda _bundle, _platform, directory: directory.mkdir())
    monkeypatch.setattr(bytecode, "find_interpreter", lambda _version: None)
    return tmp_path


SMALL = Bundle("small", ("small",), ("small/page",), excluded=("small/tool",))


def test_a_change_of_code_requirements_platform_or_byte_code_is_another_bundle(
    own_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sha256(platform: Platform = AWS) -> str:
        return bundles.build(SMALL, platform, own_root / "cache").sha256

    digests = [sha256(), sha256(bundles.this_machine()), sha256(Platform("3.12", "aarch64"))]
    (own_root / "small" / "__init__.py").write_text("answer = 43\n")
    digests.append(sha256())
    (own_root / "small" / "page").mkdir()
    for page in ("<p>", "<p>changed"):
        (own_root / "small" / "page" / "index.html").write_text(page)
        digests.append(sha256())
    with (own_root / "requirements" / "small.txt").open("a") as requirements:
        requirements.write("small-thing==1.0 \\\n    --hash=sha256:01\n")
    digests.append(sha256())
    for release, magic in (("3.13.1", "f30d0d0a"), ("3.13.2", "f30d0d0a"), ("3.13.2", "f40d0d0a")):
        interpreter = Interpreter(sys.executable, release, magic)
        monkeypatch.setattr(bytecode, "find_interpreter", lambda _version, each=interpreter: each)
        digests.append(sha256())
    assert len(set(digests)) == len(digests)


def test_the_page_is_included_and_its_tools_are_not(own_root: Path) -> None:
    for name in (
        "page/index.html",
        "page/app.wasm",
        "page/app.js.br",
        "page/app.js.map",
        "page/.built",
        "notes.md",
        "node_modules/x/x.py",
        "tool/cli.py",
        "part/node_modules/y/y.py",
        "part/tool/run.py",
    ):
        path = own_root / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    names = zipfile.ZipFile(bundles.build(SMALL, AWS, own_root / "cache").path).namelist()
    page = [f"small/page/{each}" for each in ("app.js.br", "app.wasm", "index.html")]
    assert names == ["small/__init__.py", *page, "small/part/tool/run.py"]


def test_a_file_larger_than_a_lambda_response_is_rejected(own_root: Path) -> None:
    page = own_root / "small" / "page"
    page.mkdir()
    (page / "app.js").write_bytes(b"x" * MAX_STATIC)
    bundles.build(SMALL, AWS, own_root / "cache")
    (page / "app.js").write_bytes(b"x" * (MAX_STATIC + 1))
    with pytest.raises(BundleFailed, match=r"FILE_TOO_LARGE: got small/page/app\.js of 4194305 bytes"):
        bundles.build(SMALL, AWS, own_root / "cache")


@pytest.mark.parametrize(
    ("context", "rejected"),
    [({}, True), ({"console": "false"}, False), ({"local": True}, False)],
    ids=["aws", "console=false", "local"],
)
def test_the_api_is_not_deployed_to_aws_without_its_page_unless_configured(
    own_root: Path, context: dict[str, Any], rejected: bool
) -> None:
    code = Code(settings(bundle=True, **context), wanted=True)
    if rejected:
        with pytest.raises(BundleFailed, match=r"NOT_BUILT: got no small/page/index\.html"):
            code.of(SMALL)
    else:
        assert code.of(SMALL)


def test_the_api_is_deployed_to_aws_with_its_page(own_root: Path) -> None:
    (own_root / "small" / "page").mkdir()
    (own_root / "small" / "page" / "index.html").write_text("<p>")
    assert Code(settings(bundle=True), wanted=True).of(SMALL)


def test_the_command_line_is_not_in_the_bundle() -> None:
    names = zipfile.ZipFile(bundles.build(ADMIN_API, bundles.this_machine()).path).namelist()
    assert {"admin_api/web/pages.py", "admin_api/pages_handler.py"} <= set(names)
    assert not [name for name in names if name.startswith("admin_api/cli/")]
    assert not [name for name in names if name.startswith("admin_api/console/") and "/dist/" not in name]


def test_an_unavailable_dependency_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BundleFailed, match=r"INSTALL_FAILED: core for 2\.7-aarch64"):
        bundles.build(CORE, Platform("2.7", "aarch64"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_larger_than_lambdas_quota_is_rejected(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_UNZIPPED", len("answer = 42\n"))
    bundles.build(SMALL, AWS, own_root / "cache")
    monkeypatch.setattr(bundles, "MAX_UNZIPPED", len("answer = 42\n") - 1)
    with pytest.raises(BundleFailed, match="BUNDLE_TOO_LARGE: got small of 12 bytes unzipped, want at most 11"):
        bundles.build(SMALL, AWS, own_root / "other")
    assert not list((own_root / "other").glob("small-*"))


def test_a_missing_installer_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BundleFailed, match="NO_INSTALLER"):
        bundles.build(CORE, AWS, tmp_path)
