"""Project Haystack: SkySpark, Haxall, nHaystack."""
