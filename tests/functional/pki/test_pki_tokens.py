"""CA keys in a PKCS#11 token: SoftHSM holds them, and certificates and lists that they sign are accepted."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.identity import verify
from lobby.errors import InvalidInput
from pki.ca.tokens import parse_uri, require_token
from pki.errors import AuthorityError

MODULE = next(
    (
        path
        for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"))
        if path.is_file()
    ),
    None,
)
needs_softhsm = pytest.mark.skipif(MODULE is None, reason="needs SoftHSM (apt-get install softhsm2)")
ROOT = Path(__file__).parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pki(tmp_path: Path) -> Run:
    """Run `python -m pki` in a process of its own: a module is loaded once per process, with its configuration."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm.conf"), "PYTHONPATH": str(ROOT)}
    command = ["softhsm2-util", "--init-token", "--free", "--label", "acme", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(command, env=environment, check=True, capture_output=True)

    def call(*args: str, pin: str = "1234", status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "pki", *args],
            cwd=tmp_path,
            env=environment | {"PKI_PASSPHRASE": pin},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return call


def uri(label: str) -> str:
    return f"pkcs11:token=acme;object={label}?module-path={MODULE}"


@needs_softhsm
@pytest.mark.slow
@pytest.mark.parametrize("key_type", ["ec-p256", "ec-p384", "rsa-2048"])
def test_a_ca_in_a_token_signs_devices_and_lists(pki: Run, tmp_path: Path, key_type: str) -> None:
    keys = ["--root-key", uri("root"), "--intermediate-key", uri("intermediate")]
    pki("init", "ca", "--organization", "Acme", "--key-type", key_type, *keys)
    assert (tmp_path / "ca" / "intermediate.key.pem").read_text() == f"{uri('intermediate')}\n"
    pki("device", "ca", "sensor-1", "sensor-2", "--no-label")
    pki("revoke", "ca", "sensor-2")
    ca = (tmp_path / "ca" / "intermediate.cert.pem").read_text()
    crl = (tmp_path / "ca" / "intermediate.crl.pem").read_bytes()
    device = x509.load_pem_x509_certificate((tmp_path / "ca" / "devices" / "sensor-1.cert.pem").read_bytes())
    issued = x509.load_pem_x509_crl(crl)
    assert verify(device.public_bytes(Encoding.PEM).decode(), ca, crl, issued.last_update_utc).name == "sensor-1"
    assert len(issued) == 1
    assert "BAD_PASSPHRASE" in pki("device", "ca", "sensor-3", pin="9999", status=1).stderr
    repeated = pki("init", "ca", "--organization", "Acme", *keys, status=1)
    assert "CA_EXISTS" in repeated.stderr


@needs_softhsm
@pytest.mark.slow
def test_a_missing_token_or_key_is_reported(pki: Run, tmp_path: Path) -> None:
    pki("init", "ca", "--organization", "Acme", "--intermediate-key", uri("intermediate"), pin="1234")
    path = tmp_path / "ca" / "intermediate.key.pem"
    for written, message in {
        uri("other"): "NO_TOKEN: got 0 private keys 'other'",
        uri("intermediate").replace("acme", "nobody"): "NO_TOKEN: got no token 'nobody'",
        uri("intermediate").replace(str(MODULE), "/missing.so"): "NO_TOKEN: got no file /missing.so",
        "pkcs11:x": "INVALID_KEY_URI",
    }.items():
        path.write_text(written)
        done = pki("device", "ca", "a", "--no-label", status=2 if "INVALID" in message else 1)
        assert message in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        *("", "pkcs11:", "pkcs11:token=a;object=b", "pkcs11:token=a?module-path=/m", "file:///key"),
        *("pkcs11:token=a;object=b?module-path=/m&pin-value=1234", "pkcs11:token=a;object=b;x=y?module-path=/m"),
    ],
)
def test_another_uri_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_KEY_URI"):
        parse_uri(text)


def test_a_uri_keeps_labels_with_spaces() -> None:
    key = parse_uri("pkcs11:token=My%20token;object=CA%3B1?module-path=/m.so")
    assert (key.token, key.label, key.module) == ("My token", "CA;1", Path("/m.so"))
    assert parse_uri(key.uri) == key


@needs_softhsm
@pytest.mark.slow
@pytest.mark.parametrize("pin", ["9999", "1"])
def test_an_init_that_the_token_rejects_writes_nothing(pki: Run, tmp_path: Path, pin: str) -> None:
    """Otherwise the root's key is encrypted with the wrong PIN, and the right one is refused after that."""
    init = ("init", "ca", "--organization", "Acme", "--intermediate-key", uri("intermediate"))
    assert "BAD_PASSPHRASE: got a PIN that the token acme rejects" in pki(*init, pin=pin, status=1).stderr
    assert "NO_TOKEN" in pki(*init[:-1], uri("i").replace("acme", "nobody"), status=1).stderr
    assert not (tmp_path / "ca").exists()
    pki(*init)


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        ("PinIncorrect", "BAD_PASSPHRASE", "rejects"),
        ("PinLocked", "TOKEN_FAILED", "want it unlocked by its security officer"),
        ("NoSuchToken", "NO_TOKEN", "got no token 'acme'"),
        ("MultipleTokensReturned", "NO_TOKEN", "got several tokens 'acme'"),
        ("DeviceRemoved", "TOKEN_FAILED", "got DeviceRemoved from the token acme"),
    ],
)
def test_a_failure_of_a_token_is_named(
    failure: str, code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pkcs11 = pytest.importorskip("pkcs11")

    def fail(_: str) -> None:
        raise getattr(pkcs11.exceptions, failure)

    (tmp_path / "module.so").touch()
    monkeypatch.setattr(pkcs11, "lib", fail)
    with pytest.raises(AuthorityError, match=message) as failed:
        require_token(parse_uri(f"pkcs11:token=acme;object=x?module-path={tmp_path}/module.so"), b"1234")
    assert failed.value.code == code


@pytest.mark.parametrize("failure", ["ObjectHandleInvalid", "DeviceRemoved", "SessionHandleInvalid"])
def test_a_key_that_is_removed_while_a_command_runs_is_named(failure: str) -> None:
    pkcs11 = pytest.importorskip("pkcs11")
    from pki.ca.token_keys import EcTokenKey  # noqa: PLC0415  # needs the optional dependency

    class Removed:
        def sign(self, *_: object, **__: object) -> bytes:
            raise getattr(pkcs11.exceptions, failure)

    key = EcTokenKey(None, Removed(), ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(AuthorityError, match=f"got {failure} from the token instead of a signature"):
        key.sign(b"data", ec.ECDSA(hashes.SHA256()))
