"""How a body is coded on its way (`Content-Encoding`): what a caller takes, and what is worth it.

Stored bytes leave in the coding that they have. Of what is made now JSON is left to the platform, whose edge
codes it for every caller that takes it; what the edge leaves as it is (CSV, lines, MessagePack, Arrow) is
coded here. Parquet is compressed within.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import CODED_MIN_BYTES

CODINGS: Final = ("zstd", "br", "gzip")
"""What a body can be coded with here, the cheapest first."""

CODED_HERE: Final = frozenset(
    {
        "text/csv",
        "application/x-ndjson",
        "application/vnd.msgpack",
        "application/vnd.apache.arrow.stream",
    }
)
"""Media types that the platform's edge does not compress by itself (Cloudflare's list of 2026-08)."""


def accepts(accept_encoding: str, coding: str) -> bool:
    """Whether an Accept-Encoding header takes a coding (RFC 9110, 12.5.3): named, and not with q=0."""
    for item in accept_encoding.lower().split(","):
        name, _, parameters = item.partition(";")
        if name.strip() == coding:
            weight = parameters.replace(" ", "").removeprefix("q=")
            return not weight or weight.strip("0.") != ""
    return False


def coded(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """The response, to be coded when it leaves if that is worth it and the caller takes it."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    small = response.stream is None and len(response.body) < CODED_MIN_BYTES
    if media_type not in CODED_HERE or "Content-Encoding" in response.headers or response.status != 200:  # noqa: PLR2004
        return response
    accepted = request.headers.get("accept-encoding", "")
    coding = next((one for one in CODINGS if accepts(accepted, one)), None)
    headers = {**response.headers, "Vary": _with_encoding(response.headers)}
    if coding is None or (small and request.method != "HEAD"):
        return replace(response, headers=headers)
    headers["Content-Encoding"] = coding
    if "ETag" in headers:
        headers["ETag"] = coded_tag(headers["ETag"], coding)
    return replace(response, headers=headers, coding=coding)


def coded_tag(tag: str, coding: str) -> str:
    """The strong ETag of the same content in a coding: other bytes have another tag (RFC 9110, 8.8.3)."""
    return f'{tag[:-1]}-{coding}"' if coding else tag


def plain_tag(tag: str) -> str:
    """The ETag of the content itself, whatever coding a tag is of."""
    for coding in CODINGS:
        if tag.endswith(f'-{coding}"'):
            return f'{tag[: -len(coding) - 2]}"'
    return tag


def _with_encoding(headers: Mapping[str, str]) -> str:
    listed = headers.get("Vary", "")
    if "accept-encoding" in listed.lower():
        return listed
    return f"{listed}, Accept-Encoding" if listed else "Accept-Encoding"
