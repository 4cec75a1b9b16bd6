"""Haystack's authentication: SCRAM (RFC 5802) in the headers of HTTP, as pure functions.

The server proves that it knows the password, too: a token of one that does not is not used.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import Final

from edgeseries.errors import OriginContract, OriginRefused
from edgeseries.origins.haystack.limits import MAX_ITERATIONS

HASHES: Final[Mapping[str, str]] = {"SHA-256": "sha256", "SHA-512": "sha512", "SHA-1": "sha1"}
_PARAMETER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(\"[^\"]*\"|[^\s,]+)")
_CHANNEL: Final = "n,,"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What the server says in a header: its scheme, and parameters by lower-case name."""

    scheme: str
    parameters: Mapping[str, str]

    def get(self, name: str) -> str:
        """A parameter. Raises OriginContract."""
        if name not in self.parameters:
            raise OriginContract(f"the upstream's authentication lacks {name}")
        return self.parameters[name]


def challenge_in(header: str) -> Challenge:
    """A header of authentication."""
    scheme, _, rest = header.strip().partition(" ")
    found = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(rest)}
    return Challenge(scheme=scheme.lower(), parameters=found)


def hello(user: str) -> str:
    """The first header: who wants to authenticate."""
    return f"HELLO username={encoded(user.encode())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An exchange after the server's answer to `hello`. `nonce` is ours, and nobody can guess it."""

    user: str
    nonce: str
    hash_name: str

    @property
    def _first_bare(self) -> str:
        name = self.user.replace("=", "=3D").replace(",", "=2C")
        return f"n={name},r={self.nonce}"

    def first(self, handshake: str) -> str:
        """The second header."""
        data = encoded((_CHANNEL + self._first_bare).encode())
        return _header(handshake, data)

    def final(self, handshake: str, answer: str, password: str) -> tuple[str, bytes]:
        """The third header, of the data of the server's answer, and what the server has to sign with. Raises
        OriginContract for an answer to another question, or one that would cost too much.
        """
        first = decoded(answer).decode("utf-8", "replace")
        fields = dict(part.split("=", 1) for part in first.split(",") if "=" in part)
        nonce, salt, rounds = fields.get("r", ""), fields.get("s", ""), fields.get("i", "")
        if not nonce.startswith(self.nonce) or nonce == self.nonce or not salt:
            raise OriginContract("the upstream's authentication answers another question")
        if not rounds.isdecimal() or not 0 < int(rounds) <= MAX_ITERATIONS:
            raise OriginContract(f"the upstream's authentication asks for {rounds[:20]} rounds of a hash")
        salted = pbkdf2(self.hash_name, password.encode(), decoded(salt), int(rounds))
        without_proof = f"c={encoded(_CHANNEL.encode(), padded=True)},r={nonce}"
        signed = f"{self._first_bare},{first},{without_proof}".encode()
        key = hmac.digest(salted, b"Client Key", self.hash_name)
        stored = new_hash(self.hash_name, key).digest()
        signature = hmac.digest(stored, signed, self.hash_name)
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.hash_name)
        data = encoded(f"{without_proof},p={encoded(proof, padded=True)}".encode())
        return _header(handshake, data), hmac.digest(server_key, signed, self.hash_name)


def exchange(user: str, nonce: str, hash_label: str) -> Exchange:
    """An exchange with the hash that the server names. Raises OriginRefused for one that we have not."""
    if hash_label.upper() not in HASHES:
        raise OriginRefused(
            f"the upstream authenticates with {hash_label[:20]}, which is none of {', '.join(HASHES)}"
        )
    return Exchange(user=user, nonce=nonce, hash_name=HASHES[hash_label.upper()])


def is_signed(data: str, signature: bytes) -> bool:
    """Whether the server's last word is signed as only one can that knows the password."""
    said = decoded(data).decode("utf-8", "replace")
    return said.startswith("v=") and hmac.compare_digest(decoded(said[2:]), signature)


def pbkdf2(hash_name: str, password: bytes, salt: bytes, rounds: int) -> bytes:
    """One block of PBKDF2 (RFC 8018) with HMAC. The runtime's hashlib lacks it."""
    last = hmac.digest(password, salt + b"\x00\x00\x00\x01", hash_name)
    result = int.from_bytes(last, "big")
    for _ in range(rounds - 1):
        last = hmac.digest(password, last, hash_name)
        result ^= int.from_bytes(last, "big")
    return result.to_bytes(len(last), "big")


def encoded(data: bytes, *, padded: bool = False) -> str:
    """Base64 for URLs, without padding; `padded`: the standard form, within SCRAM's own messages."""
    text = urlsafe_b64encode(data).decode()
    return text.replace("-", "+").replace("_", "/") if padded else text.rstrip("=")


def decoded(text: str) -> bytes:
    """Either form. Raises OriginContract."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except ValueError as fault:
        raise OriginContract("the upstream's authentication is no base64") from fault


def _header(handshake: str, data: str) -> str:
    token = f"handshakeToken={handshake}, " if handshake else ""
    return f"SCRAM {token}data={data}"
