"""Private keys in a PKCS#11 token, in the form of `cryptography`'s keys, so that its builders sign with them.

The keys can only sign. They cannot be exported, which is the purpose of a token.
"""

from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.util.ec import encode_ec_public_key
from pkcs11.util.rsa import encode_rsa_public_key

from lobby.names import shown
from pki.ca.keys import PrivateKey
from pki.errors import AuthorityError

_RSA_MECHANISMS = {
    "sha256": Mechanism.SHA256_RSA_PKCS,
    "sha384": Mechanism.SHA384_RSA_PKCS,
    "sha512": Mechanism.SHA512_RSA_PKCS,
}


def wrap(session: Any, private: Any, where: Any) -> PrivateKey:
    """Return the token's private key object as a key. The public key must also be in the token. Messages name
    `where`."""
    publics = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: private[Attribute.ID]}))
    if len(publics) != 1:
        raise AuthorityError(
            "NO_TOKEN", f"got {len(publics)} public keys for {shown(where.label)} in the token {where.token}, want one"
        )
    if private.key_type is KeyType.EC:
        public = load_der_public_key(encode_ec_public_key(publics[0]))
        if isinstance(public, ec.EllipticCurvePublicKey):
            return EcTokenKey(session, private, public)
    if private.key_type is KeyType.RSA:
        public = load_der_public_key(encode_rsa_public_key(publics[0]))
        if isinstance(public, rsa.RSAPublicKey):
            return RsaTokenKey(session, private, public)
    raise AuthorityError("NO_TOKEN", f"got a key of type {private.key_type} in the token {where.token}, want EC or RSA")


class _InToken:
    """Common base of both key types. It keeps a reference to the session, because the key is valid only while the
    session is open."""

    def __init__(self, session: Any, private: Any, public: Any) -> None:
        self._session, self._private, self._public = session, private, public

    @property
    def key_size(self) -> int:
        return int(self._public.key_size)

    def _signature(self, content: bytes, mechanism: Mechanism) -> bytes:
        """Return the signature of the token's key. Raise `AuthorityError` TOKEN_FAILED: the key or the token can be
        removed while a command runs."""
        try:
            return bytes(self._private.sign(content, mechanism=mechanism))
        except PKCS11Error as err:
            what = f"got {type(err).__name__} from the token instead of a signature"
            raise AuthorityError(
                "TOKEN_FAILED", f"{what}, want the token with its key: then repeat the command"
            ) from None

    def private_numbers(self) -> NoReturn:
        raise AuthorityError("TOKEN_FAILED", "got a call that reads the private key of a token, want only signatures")

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        self.private_numbers()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: Any) -> Any:
        return self


class EcTokenKey(_InToken, ec.EllipticCurvePrivateKey):
    """An EC key. The data is hashed in this process, because few tokens can hash for ECDSA."""

    @property
    def curve(self) -> ec.EllipticCurve:
        curve: ec.EllipticCurve = self._public.curve
        return curve

    def public_key(self) -> ec.EllipticCurvePublicKey:
        public: ec.EllipticCurvePublicKey = self._public
        return public

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        algorithm = signature_algorithm.algorithm
        if not isinstance(algorithm, HashAlgorithm):
            raise TypeError("want data that is not hashed yet")
        digest = Hash(algorithm)
        digest.update(data)
        both = self._signature(digest.finalize(), Mechanism.ECDSA)
        half = len(both) // 2
        return utils.encode_dss_signature(int.from_bytes(both[:half]), int.from_bytes(both[half:]))

    def exchange(self, *_: Any, **__: Any) -> NoReturn:
        self.private_numbers()


class RsaTokenKey(_InToken, rsa.RSAPrivateKey):
    """An RSA key, for PKCS#1 v1.5 signatures."""

    def public_key(self) -> rsa.RSAPublicKey:
        public: rsa.RSAPublicKey = self._public
        return public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:  # the library's name
        if not isinstance(padding, _PKCS1) or algorithm.name not in _RSA_MECHANISMS:
            raise TypeError("want PKCS#1 v1.5 with SHA-256, SHA-384 or SHA-512")
        return self._signature(bytes(data), _RSA_MECHANISMS[algorithm.name])

    def decrypt(self, *_: Any, **__: Any) -> NoReturn:
        self.private_numbers()


_PKCS1 = padding.PKCS1v15
