"""`make admin-key`: a new admin key for a stack, told once, and the hash that the stack's setting takes."""

import secrets
import sys
from typing import Final

from edgeseries.access.keys import ADMIN_KEY_ID, hash_of, key_text
from edgeseries.limits import KEY_SECRET_BYTES

MESSAGE: Final = """\
The admin key. It is told once; keep it where you keep passwords:
  {key}
Its hash, which the stack takes (replace the old one to rotate):
  printf %s {hash} | pulumi config set --secret edgeseries:adminKeyHash
"""


def new_admin_key() -> str:
    """A key that nobody has."""
    return key_text(ADMIN_KEY_ID, secrets.token_hex(KEY_SECRET_BYTES))


def main() -> int:
    """Print a key and its hash."""
    key = new_admin_key()
    print(MESSAGE.format(key=key, hash=hash_of(key)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
