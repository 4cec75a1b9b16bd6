"""What has been learned of the points of a site."""

from collections.abc import Mapping
from typing import Protocol


class PointProfiles(Protocol):
    """Learned when days of a point are stored."""

    async def densities(self, site: str) -> Mapping[str, float]:
        """Samples a day of every point of which days with samples were stored, by name. Raises
        StoreUnavailable.
        """
        ...
