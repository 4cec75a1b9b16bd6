"""SQL of `point_profiles` for lists of points. Table: `schema.sql`."""

from typing import Final

DENSITIES: Final = """
SELECT point, density_per_day FROM point_profiles WHERE site = ?1 AND density_per_day > 0
"""
