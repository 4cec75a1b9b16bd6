"""Responses that carry an ETag: the headers of an answer, and 304 for who has it already."""

from hashlib import sha256

from edgeseries.http.messages import HttpRequest, HttpResponse
from router.content_coding import plain_tag

JSON_TYPE = "application/json"


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
