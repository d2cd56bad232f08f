"""Byte code in bundles: the interpreter that compiles it, the format of the files, and the errors."""

import importlib.util
import marshal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bundling import bundles, bytecode
from infra.bundling.bytecode import Interpreter, compile_files, find_interpreter
from infra.errors import BundleFailed

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SOURCES = {"pack/__init__.py": b"", "pack/answer.py": b"ANSWER = 42\n", "pack/schema.graphql": b"type Query"}
UNCHECKED_HASH = 0b01
"""PEP 552: the flags of a hash-based .pyc file whose source is not checked."""


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    find_interpreter.cache_clear()
    yield
    find_interpreter.cache_clear()


@pytest.fixture
def here() -> Interpreter:
    interpreter = find_interpreter(HERE)
    assert interpreter is not None
    return interpreter


def test_this_version_is_compiled_by_this_interpreter(here: Interpreter) -> None:
    assert here.path == sys.executable
    assert here.magic == importlib.util.MAGIC_NUMBER.hex()
    assert str(here) == f"{HERE}.{sys.version_info.micro} magic {here.magic}"


def test_byte_code_is_hash_based_unchecked_and_executable(here: Interpreter) -> None:
    compiled = compile_files(here, SOURCES)
    assert set(compiled) == {importlib.util.cache_from_source(name) for name in SOURCES if name.endswith(".py")}
    content = compiled[importlib.util.cache_from_source("pack/answer.py")]
    assert content[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
    assert content[8:16] == importlib.util.source_hash(SOURCES["pack/answer.py"])
    code = marshal.loads(content[16:])  # noqa: S302  # compiled by this test
    assert code.co_filename == "/var/task/pack/answer.py"
    namespace: dict[str, int] = {}
    exec(code, namespace)  # noqa: S102
    assert namespace["ANSWER"] == 42


def test_the_same_sources_give_the_same_byte_code(here: Interpreter) -> None:
    names = {
        f"pack/m{number}.py": f"X = {{'a', 'b', {number}}}\ndef f(x): return x in {{'p', 'q'}}\n" for number in range(5)
    }
    sources = {name: text.encode() for name, text in names.items()}
    assert compile_files(here, sources) == compile_files(here, dict(reversed(sources.items())))


def test_python_loads_the_byte_code_without_the_source(here: Interpreter, tmp_path: Path) -> None:
    for name, content in {**SOURCES, **compile_files(here, SOURCES)}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "pack" / "answer.py").write_text("ANSWER = 'from the source'\n")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from pack.answer import ANSWER; print(ANSWER)"
    result = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "42\n"


def test_the_bundle_for_aws_has_byte_code_of_its_python() -> None:
    interpreter = find_interpreter(bundles.LAMBDA_PYTHON)
    if interpreter is None:
        pytest.skip(f"needs python{bundles.LAMBDA_PYTHON}")
    compiled = compile_files(interpreter, SOURCES)
    tag = f"cpython-{bundles.LAMBDA_PYTHON.replace('.', '')}"
    assert set(compiled) == {f"pack/__pycache__/{name}.{tag}.pyc" for name in ("__init__", "answer")}
    assert all(content[:4].hex() == interpreter.magic for content in compiled.values())


def test_without_an_interpreter_the_note_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_interpreter("3.99") is None
    assert find_interpreter("3.99") is None
    note = "python3.99 not found: bundles ship without byte code, cold starts are slower\n"
    assert capsys.readouterr().err == note


@pytest.mark.parametrize("output", ["3.99 beta 3.99.0 00", "3.98 final 3.98.1 00", "", "exit"])
def test_another_version_a_prerelease_and_a_broken_shim_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    for folder, line in (("first", output), ("second", "3.99 final 3.99.2 ff0d0d0a")):
        script = tmp_path / folder / "python3.99"
        script.parent.mkdir()
        script.write_text(f"#!/bin/sh\necho {line}\n" if line != "exit" else "#!/bin/sh\nexit 1\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    assert find_interpreter("3.99") == Interpreter(str(tmp_path / "second" / "python3.99"), "3.99.2", "ff0d0d0a")


def test_the_newest_release_of_pyenv_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in ("3.99.2", "3.99.9", "3.99.10"):
        script = tmp_path / "versions" / release / "bin" / "python3.99"
        script.parent.mkdir(parents=True)
        script.write_text(f"#!/bin/sh\necho 3.99 final {release} ff0d0d0a\n")
        script.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    interpreter = find_interpreter("3.99")
    assert interpreter is not None
    assert interpreter.release == "3.99.10"


def test_a_source_that_does_not_compile_is_reported(here: Interpreter) -> None:
    with pytest.raises(BundleFailed, match=r"(?s)COMPILE_FAILED: .*pack/wrong\.py"):
        compile_files(here, {"pack/wrong.py": b"def broken(:\n"})


def test_a_bundle_without_an_interpreter_has_no_byte_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "find_interpreter", lambda _version: None)
    monkeypatch.setattr(bundles, "_install", lambda _bundle, _platform, directory: directory.mkdir())
    names = zipfile.ZipFile(bundles.build(bundles.CORE, bundles.AWS, tmp_path).path).namelist()
    assert "lobby/receptionist.py" in names
    assert not [name for name in names if name.endswith(".pyc")]
