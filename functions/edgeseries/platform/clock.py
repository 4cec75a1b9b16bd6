"""The Clock port with the host's clock. On Workers it moves only when I/O happens."""

import time

NS_PER_MS = 1_000_000


class SystemClock:
    """UTC epoch time of the machine, or of the event on Workers."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return time.time_ns() // NS_PER_MS
