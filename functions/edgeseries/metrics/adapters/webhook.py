"""The Alarm port over a webhook that takes JSON as Slack's incoming webhooks do: `{"text": "..."}`.

Format: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. Mattermost, Rocket.Chat, Google
Chat and Discord (with `/slack` behind its URL) take the same.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from edgeseries.answers.answer import json_bytes
from edgeseries.errors import EdgeError, Transient
from edgeseries.http.messages import HttpCall
from edgeseries.limits import SECOND_MS
from edgeseries.metrics.alerting import Notice, NoticeKind
from edgeseries.metrics.ports.journal import Journal, Level
from edgeseries.ports.web import Web
from edgeseries.series.timerange import iso_instant

TIMEOUT_MS: Final = 10 * SECOND_MS
"""One message. Slack answers in tenths of a second."""

REPLY_MAX_BYTES: Final = 100_000
"""Nobody reads the reply; `ok` has two bytes."""

ESCAPES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
"""Signs that mean something to Slack, in its order."""


class Webhook:
    """One webhook. Without a URL notices are log lines only."""

    def __init__(self, *, url: str, stack: str, web: Web, journal: Journal) -> None:
        self._url = url
        self._stack = stack
        self._web = web
        self._journal = journal

    async def notify(self, notices: Sequence[Notice]) -> None:
        """See the port."""
        for notice in notices:
            level: Level = "info" if notice.kind is NoticeKind.RESOLVED else "error"
            self._journal.line(level, f"alert {notice.rule} {notice.kind}: {notice.description}")
        if not self._url:
            return
        call = HttpCall(
            method="POST",
            url=self._url,
            timeout_ms=TIMEOUT_MS,
            max_bytes=REPLY_MAX_BYTES,
            headers={"Content-Type": "application/json"},
            body=json_bytes({"text": message_of(self._stack, notices)}),
        )
        try:
            reply = await self._web.send(call)
        except EdgeError as error:
            raise Transient("the alert webhook does not answer; check alertWebhookUrl") from error
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            raise Transient(f"the alert webhook answered {reply.status}; check alertWebhookUrl")


def message_of(stack: str, notices: Sequence[Notice]) -> str:
    """One message for all notices, a paragraph each."""
    return "\n".join(_paragraph(stack, notice) for notice in notices)


def _paragraph(stack: str, notice: Notice) -> str:
    since = iso_instant(notice.since_ms)
    head = f"*EdgeSeries {stack}* {notice.kind} *{notice.rule}*: {notice.description} (since {since})"
    text = head if notice.kind is NoticeKind.RESOLVED else f"{head}\n{notice.remedy}"
    for sign, escape in ESCAPES:
        text = text.replace(sign, escape)
    return text
