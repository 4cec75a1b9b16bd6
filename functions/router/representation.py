"""The representation of an answer (RFC 9110, 8): how its body is coded on its way, the ETag that names its
content in a coding, and 304 for who has it already.

Stored bytes leave in the coding that they have. Of what is made now JSON is left to the platform, whose edge
codes it for every caller that takes it; what the edge leaves as it is (CSV, lines, MessagePack, Arrow) is
coded here. Parquet is compressed within.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Final

from edgeseries.answers.limits import CODED_MIN_BYTES
from edgeseries.http.messages import HttpRequest, HttpResponse

CODINGS: Final = ("gzip", "zstd", "br")
"""What a body can be coded with here. First what streams have, too: HEAD tells the tag of either."""

OF_STREAMS: Final = ("gzip",)
"""The same of a body that is sent while it is made (`platform/coding.mjs` says why)."""

JSON_TYPE: Final = "application/json"

OK: Final = 200
NOT_MODIFIED: Final = 304

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
    told = dict(response.headers)
    media_type = told.get("Content-Type", "").partition(";")[0]
    if (
        media_type not in CODED_HERE
        or "Content-Encoding" in told
        or response.status not in (OK, NOT_MODIFIED)
    ):
        return response
    if response.status == NOT_MODIFIED:
        # The tag of whichever coding the caller has.
        named = [
            one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
        ]
        own = next((one for one in named if plain_tag(one) == told.get("ETag")), None)
        return response if own is None else replace(response, headers={**told, "ETag": own})
    accepted = request.headers.get("accept-encoding", "")
    codings = CODINGS if response.stream is None else OF_STREAMS
    coding = next((one for one in codings if accepts(accepted, one)), None)
    small = response.stream is None and len(response.body) < CODED_MIN_BYTES
    told["Vary"] = _with_encoding(told.get("Vary", ""))
    if coding is None or (small and request.method != "HEAD"):
        return replace(response, headers=told)
    told["Content-Encoding"] = coding
    if "ETag" in told:
        told["ETag"] = coded_tag(told["ETag"], coding)
    return replace(response, headers=told, coding=coding)


def coded_tag(tag: str, coding: str) -> str:
    """The strong ETag of the same content in a coding: other bytes have another tag (RFC 9110, 8.8.3)."""
    return f'{tag[:-1]}-{coding}"' if coding else tag


def plain_tag(tag: str) -> str:
    """The ETag of the content itself, whatever coding a tag is of."""
    for coding in CODINGS:
        if tag.endswith(f'-{coding}"'):
            return f'{tag[: -len(coding) - 2]}"'
    return tag


def _with_encoding(vary: str) -> str:
    if "accept-encoding" in vary.lower():
        return vary
    return f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"


def entity_tag(body: bytes) -> str:
    """A strong ETag (RFC 9110, 8.8.3) over the content: equal bytes, equal tag."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_named_by(tag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names this tag (RFC 9110, 13.1.2: weak comparison), or that of the same
    content in another coding.
    """
    named = [plain_tag(candidate.strip().removeprefix("W/")) for candidate in if_none_match.split(",")]
    return "*" in named or tag in named


def answer_headers(entity_tag: str | None, media_type: str) -> dict[str, str]:
    """The headers of every time-series answer. A caller may keep it, not use it unasked. No tag: nobody knows
    the content before it has left.
    """
    return {
        "Content-Type": media_type,
        **({} if entity_tag is None else {"ETag": entity_tag}),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Encoding",
    }


def is_known(entity_tag: str, request: HttpRequest) -> bool:
    """Whether the caller has this content already. If-None-Match of a POST would be a precondition
    of a change (RFC 9110, 13.1.2), and this changes nothing.
    """
    known = request.headers.get("if-none-match", "") if request.method != "POST" else ""
    return is_named_by(entity_tag, known)


def conditional_response(
    body: bytes, entity_tag: str, request: HttpRequest, media_type: str = JSON_TYPE
) -> HttpResponse:
    """200 with the body, or 304 without."""
    headers = answer_headers(entity_tag, media_type)
    if is_known(entity_tag, request):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(status=200, headers=headers, body=body)
