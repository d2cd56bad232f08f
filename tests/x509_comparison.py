"""Compares `identity.verify` with `openssl verify -purpose sslclient` on generated certificates.

``python -m tests.x509_comparison --count 5000`` prints how often both agree, and each kind of disagreement. Each kind
needs a decision below, which docs/manufacturer.md also lists. A test fails for any other kind.
"""

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings

from lobby.domain.identity import verify
from lobby.errors import IdentityRefused
from tests.certificates import NOW, pem_of_der
from tests.x509_cases import Case, cases
from tests.x509_writer import write

ACCEPTED: Final = "accepted"
REFUSED_HERE: Final = {
    "BAD_CERTIFICATE": "the encoding is not DER, or a time has another form than RFC 5280 prescribes",
    "BAD_EXTENSION": "an extension cannot be parsed, occurs twice, or has a value that RFC 5280 forbids",
    "BAD_SERIAL": "the serial number is 0, negative or longer than 20 octets",
    "BAD_VALIDITY": "the validity has the year 0000, or ends before it begins",
    "CRITICAL_EXTENSION": "a critical extension is not one that RFC 5280 lets a device's certificate have",
    "KEY_TOO_LARGE": "the RSA key is larger than 16384 bits, or its exponent than 64",
    "NOT_A_DEVICE": "the key usage contains keyCertSign",
    "WEAK_KEY": "the curve is not P-256, P-384 or P-521, or the RSA exponent is 1 or even",
    "WEAK_SIGNATURE": "the hash is not SHA-256, SHA-384 or SHA-512",
    "WRONG_PURPOSE": "the key usage is keyAgreement without digitalSignature",
    "CA_CRITICAL_EXTENSION": "a critical extension of the CA is not known here",
    "CA_INVALID": "a field or the encoding of the CA cannot be parsed",
    "CA_NOT_A_CA": "the CA has no basicConstraints CA:TRUE",
    "CA_WEAK_KEY": "the CA's key is RSA below 2048 bits, or EC on another curve",
    "NAME_NOT_PERMITTED": "a SAN is of a type that the CA's name constraints limit and the lobby cannot compare",
}
"""What OpenSSL accepts and the lobby refuses, by reason code."""
ACCEPTED_HERE: Final = {
    "unsuitable certificate purpose": "the CA is for anyExtendedKeyUsage only, or netscapeCertType lacks client",
    "unhandled critical extension": "issuerAltName is critical",
    "certificate has expired": "the validity ends in this very second",
}
"""What the lobby accepts and OpenSSL refuses, by OpenSSL's message."""
_ERROR = re.compile(r"error \d+ at \d depth lookup: (.*)")


def ours(device: bytes, ca: bytes) -> str:
    """Return `ACCEPTED` or the reason code. There is no revocation list, because it is checked last."""
    try:
        verify(pem_of_der(device), pem_of_der(ca), None, NOW)
    except IdentityRefused as refused:
        return ACCEPTED if refused.code == "CRL_MISSING" else refused.code
    raise AssertionError("a certificate was accepted without a revocation list")


def openssl(device: bytes, ca: bytes, directory: Path) -> str:
    """Return `ACCEPTED` or OpenSSL's message."""
    (directory / "device.pem").write_text(pem_of_der(device))
    (directory / "ca.pem").write_text(pem_of_der(ca))
    command = ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-trusted", "ca.pem", "-partial_chain"]
    command += ["-purpose", "sslclient", "-auth_level", "2", "-attime", str(int(NOW.timestamp())), "device.pem"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return ACCEPTED
    found = _ERROR.search(done.stderr)
    return found[1] if found else "unreadable"


def compare(case: Case, directory: Path) -> tuple[str, str]:
    device, ca = write(case)
    return ours(device, ca), openssl(device, ca, directory)


def is_agreement(one: str, other: str) -> bool:
    return (one == ACCEPTED) == (other == ACCEPTED)


def decision(here: str, there: str) -> str | None:
    """Return the decision about a disagreement, or None if there is none."""
    return ACCEPTED_HERE.get(there) if here == ACCEPTED else REFUSED_HERE.get(here)


def run(count: int, directory: Path) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], Case]]:
    """Return how often each pair of outcomes occurred, and an example of each."""
    outcomes: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], Case] = {}

    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Case) -> None:
        pair = compare(case, directory)
        outcomes[pair] += 1
        examples.setdefault(pair, case)

    check()
    return outcomes, examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as directory:
        outcomes, examples = run(count, Path(directory))
    both = Counter(
        "accepted" if a == ACCEPTED else "refused"
        for (a, b), n in outcomes.items()
        for _ in range(n)
        if is_agreement(a, b)
    )
    print(f"{outcomes.total()} cases, agreed: {dict(both)}")
    for pair, n in sorted(outcomes.items(), key=lambda each: -each[1]):
        if not is_agreement(*pair):
            print(n, *pair, decision(*pair) or "UNDECIDED", sep=" | ")
            if decision(*pair) is None:
                print("   ", examples[pair])


if __name__ == "__main__":
    main()
