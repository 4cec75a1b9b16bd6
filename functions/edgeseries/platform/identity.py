"""The Identity port with the platform's entropy (which Workers give only inside an event)."""

import secrets

from edgeseries.limits import KEY_ID_BYTES, KEY_SECRET_BYTES

REQUEST_ID_BYTES = 8
"""64 bits: among a million requests a day, two equal ones in 50,000 years."""


class RandomIdentity:
    """Names from cryptographic randomness."""

    def request_id(self) -> str:
        """16 hexadecimal digits."""
        return secrets.token_hex(REQUEST_ID_BYTES)

    def key_id(self) -> str:
        """See the port."""
        return secrets.token_hex(KEY_ID_BYTES)

    def key_secret(self) -> str:
        """See the port."""
        return secrets.token_hex(KEY_SECRET_BYTES)
