"""Fixtures that several files share."""

from tests.store_fixtures import database, rig

__all__ = ["database", "rig"]
