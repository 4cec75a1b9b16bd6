"""Tokens: whose a token is, whether it is in force, and its list of permissions, which it seldom may read."""

from typing import Any

from tests.engine.cloud.account import Account, Body, Refused

TOKEN_ID = "f" * 32
NOT_KNOWN = (401, 1000, "Invalid API Token")
NOT_ALLOWED = (403, 9109, "Unauthorized to access requested resource")


def tokens(account: Account, rest: list[str], *, of_account: bool) -> Any:
    """`/user/tokens`, or `/accounts/{id}/tokens`: a token is known in one of the two."""
    if of_account != account.token_of_account:
        raise Refused(*NOT_KNOWN)
    match rest:
        case ["verify"]:
            return {"id": TOKEN_ID, "status": account.token_status}
        case [token_id] if token_id == TOKEN_ID:
            if account.policies is None:
                raise Refused(*NOT_ALLOWED)
            return {"id": TOKEN_ID, "status": account.token_status, "policies": account.policies}
    raise LookupError


def policy(*groups: str, resource: str) -> Body:
    """One entry of a token's list."""
    return {
        "id": "e" * 32,
        "effect": "allow",
        "permission_groups": [{"id": "d" * 32, "name": name} for name in groups],
        "resources": {resource: "*"},
    }
