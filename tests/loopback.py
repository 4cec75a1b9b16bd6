"""HTTP to this machine alone."""

import ssl
from typing import Final

NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `verify=` of clients that meet no TLS. Without it each one reads all certificates, 20 ms of CPU time,
and tests ask the simulator thousands of times.
"""
