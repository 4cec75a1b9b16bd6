"""`make key`: an API key of a running `make dev`, made through its own `POST /api/keys`.

Owns what is asked for and how it is told. The admin key comes from `make dev` itself, over `local/remote.py`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from local.remote import RemoteError, give

COMMAND: Final = "admin-key"
TIMEOUT_S: Final = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 and the key on the last line, or 1 with why not."""
    asked = _parser().parse_args(arguments)
    state = Path(os.environ.get("STATE", ".edgeseries"))
    try:
        made = make(give(state, COMMAND), asked)
    except (RemoteError, httpx.HTTPError) as fault:
        print(f"make key: {fault}", file=sys.stderr)
        return 1
    if made.status_code != httpx.codes.CREATED:
        faults = [f"{one['parameter']}: {one['detail']}" for one in made.json().get("errors", [])]
        print(f"make key: {'; '.join(faults) or made.json()['detail']}", file=sys.stderr)
        return 1
    record = made.json()
    print(
        f"{record['keyId']}: {', '.join(record['rights'])} on {', '.join(record['sites'])}, {record['tier']}"
    )
    print(record["key"])
    return 0


def make(place: dict[str, Any], asked: argparse.Namespace) -> httpx.Response:
    """Ask the running stack for a key."""
    return httpx.post(
        f"{place['url']}/api/keys",
        headers={"Authorization": f"Bearer {place['adminKey']}"},
        json={
            "owner": asked.owner,
            "sites": asked.sites.split(","),
            "rights": asked.rights.split(","),
            "tier": asked.tier,
        },
        timeout=TIMEOUT_S,
        trust_env=False,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make key", description="Make an API key of a running make dev.")
    parser.add_argument("--owner", default="dev", help="whose key it is")
    parser.add_argument("--sites", default="*", help="names with commas between them, or * for all")
    parser.add_argument("--rights", default="read,jobs", help="some of read,jobs,purge,admin")
    parser.add_argument("--tier", default="standard", help="standard or bulk")
    return parser


if __name__ == "__main__":
    sys.exit(main())
