"""`make demo PAGE=1`: the console over what the demo asked, in a real Chromium, as a picture."""

import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from local.hosting import NODE

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "build" / "console" / "demo.png"
TIMEOUT_S: Final = 120


def picture_of(url: str, site: str, points: tuple[str, ...], start: str, end: str) -> str:
    """Open a chart in the console and keep a picture of it in `PICTURE`.

    Returns: what the page says of where its samples came from. Raises ValueError where the page does not
    come, or finds fault.
    """
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    query = urlencode([("site", site), *(("point", point) for point in points), ("from", start), ("to", end)])
    done = subprocess.run(  # noqa: S603 - our own program
        [str(NODE), str(ROOT / "console" / "picture.mjs"), f"{url}/#/explore?{query}", str(PICTURE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        raise ValueError(f"the console did not open: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()
