"""The Lambdas' code: what is packed, that it is enough, and that it is the same every time."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra import bundles
from infra.bundle_files import MAX_STATIC
from infra.bundles import ADMIN_API, AWS, BOUNCER, CORE, Bundle, Platform
from infra.errors import BundleFailed
from infra.functions import FUNCTIONS, Code, Function
from tests.infra.templates import settings

ALL = (BOUNCER, CORE, ADMIN_API)
RUNTIME_MODULES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")


@pytest.fixture(scope="module", params=ALL, ids=lambda bundle: bundle.name)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: Bundle = request.param
    return found


def test_what_the_runtime_ships_is_left_out_and_the_rest_keeps_its_hashes(bundle: Bundle) -> None:
    pinned = {line.split("==")[0] for line in bundle.requirements.read_text().splitlines() if line[:1].isalpha()}
    kept = bundles.kept_requirements(bundle)
    assert {line.split("==")[0] for line in kept.splitlines() if line[:1].isalpha()} == pinned - bundles.SHIPPED
    assert kept.count("==") <= kept.count("--hash=sha256:")


def test_a_bundle_has_our_packages_and_nothing_that_is_not_run(bundle: Bundle) -> None:
    names = zipfile.ZipFile(bundles.build(bundle, bundles.this_machine()).path).namelist()
    tops = {name.split("/")[0] for name in names}
    assert set(bundle.packages) <= tops
    assert not {"botocore", "boto3", "device", "pki", "infra", "tests"} & tops
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", "/RECORD"))]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_a_handler_is_found_with_its_bundle_and_the_runtime_alone(function: Function, tmp_path: Path) -> None:
    """In an isolated Python that sees the unpacked bundle and what Lambda ships."""
    code, shipped = tmp_path / "code", tmp_path / "shipped"
    zipfile.ZipFile(bundles.build(function.bundle, bundles.this_machine()).path).extractall(code)
    shipped.mkdir()
    for name in RUNTIME_MODULES:
        _link(name, shipped)
    module, _, attribute = function.handler.rpartition(".")
    script = (
        f"import sys; sys.path[:0] = [{str(code)!r}, {str(shipped)!r}]\n"
        f"import {module} as found\n"
        f"assert callable(found.{attribute})\n"
        f"assert found.__file__.startswith({str(code)!r})"
    )
    environment = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr


def _link(name: str, into: Path) -> None:
    found = importlib.util.find_spec(name)
    if found is not None and found.origin is not None:
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (into / source.name).symlink_to(source)


def test_the_same_input_gives_the_same_bytes_and_is_built_once(tmp_path: Path) -> None:
    one = bundles.build(CORE, bundles.this_machine(), tmp_path / "one")
    other = bundles.build(CORE, bundles.this_machine(), tmp_path / "other")
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.sha256 == other.sha256
    written = one.path.stat().st_mtime_ns
    assert bundles.build(CORE, bundles.this_machine(), tmp_path / "one").path.stat().st_mtime_ns == written
    assert {path.name.split("-")[0] for path in (tmp_path / "one").iterdir()} == {"core", "dependencies"}


def test_an_edit_of_our_code_installs_nothing_again(own_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundles.build(SMALL, AWS, own_root / "cache")
    monkeypatch.setattr(bundles, "_install", None)
    (own_root / "small" / "__init__.py").write_text("answer = 43\n")
    built = bundles.build(SMALL, AWS, own_root / "cache")
    assert zipfile.ZipFile(built.path).read("small/__init__.py") == b"answer = 43\n"


def test_only_the_last_few_bundles_are_kept(own_root: Path) -> None:
    for answer in range(6):
        (own_root / "small" / "__init__.py").write_text(f"answer = {answer}\n")
        newest = bundles.build(SMALL, AWS, own_root / "cache").path
    kept = list((own_root / "cache").glob("small-*.zip"))
    assert newest in kept
    assert len(kept) == 3


@pytest.fixture
def own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one package that depends on nothing."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "small.txt").write_text("six==1.17.0 \\\n    --hash=sha256:00\n")
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").write_text("answer = 42\n")
    monkeypatch.setattr(bundles, "ROOT", tmp_path)
    monkeypatch.setattr(bundles, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(bundles, "_install", lambda _bundle, _where, into: into.mkdir())
    return tmp_path


SMALL = Bundle("small", ("small",), ("small/page",), ("small/tool",))


def test_any_change_of_code_requirements_or_platform_is_another_bundle(own_root: Path) -> None:
    def sha256(where: Platform = AWS) -> str:
        return bundles.build(SMALL, where, own_root / "cache").sha256

    seen = [sha256(), sha256(bundles.this_machine()), sha256(Platform("3.12", "aarch64"))]
    (own_root / "small" / "__init__.py").write_text("answer = 43\n")
    seen.append(sha256())
    (own_root / "small" / "page").mkdir()
    for page in ("<p>", "<p>changed"):
        (own_root / "small" / "page" / "index.html").write_text(page)
        seen.append(sha256())
    with (own_root / "requirements" / "small.txt").open("a") as requirements:
        requirements.write("small-thing==1.0 \\\n    --hash=sha256:01\n")
    seen.append(sha256())
    assert len(set(seen)) == len(seen)


def test_the_page_goes_along_and_its_tools_do_not(own_root: Path) -> None:
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


def test_a_file_that_no_lambda_could_answer_with_is_refused(own_root: Path) -> None:
    page = own_root / "small" / "page"
    page.mkdir()
    (page / "app.js").write_bytes(b"x" * MAX_STATIC)
    bundles.build(SMALL, AWS, own_root / "cache")
    (page / "app.js").write_bytes(b"x" * (MAX_STATIC + 1))
    with pytest.raises(BundleFailed, match=r"FILE_TOO_LARGE: got small/page/app\.js of 4194305 bytes"):
        bundles.build(SMALL, AWS, own_root / "cache")


@pytest.mark.parametrize(
    ("context", "refused"),
    [({}, True), ({"console": "false"}, False), ({"local": True}, False)],
    ids=["aws", "asked for", "local"],
)
def test_the_api_does_not_go_to_aws_without_its_page_unless_that_is_asked_for(
    own_root: Path, context: dict[str, Any], refused: bool
) -> None:
    code = Code(settings(bundle=True, **context), wanted=True)
    if refused:
        with pytest.raises(BundleFailed, match=r"NOT_BUILT: got no small/page/index\.html"):
            code.of(SMALL)
    else:
        assert code.of(SMALL)


def test_the_api_goes_to_aws_with_its_page(own_root: Path) -> None:
    (own_root / "small" / "page").mkdir()
    (own_root / "small" / "page" / "index.html").write_text("<p>")
    assert Code(settings(bundle=True), wanted=True).of(SMALL)


def test_the_command_line_is_not_in_the_lambda() -> None:
    names = zipfile.ZipFile(bundles.build(ADMIN_API, bundles.this_machine()).path).namelist()
    assert "admin_api/web/pages.py" in names
    assert not [name for name in names if name.startswith("admin_api/cli/")]
    assert not [name for name in names if name.startswith("admin_api/console/") and "/dist/" not in name]


def test_a_dependency_that_cannot_be_had_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(BundleFailed, match=r"INSTALL_FAILED: core for 2\.7-aarch64"):
        bundles.build(CORE, Platform("2.7", "aarch64"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_pip_and_uv_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BundleFailed, match="NO_INSTALLER"):
        bundles.build(CORE, AWS, tmp_path)
