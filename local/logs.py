"""Log lines of the Workers, the simulator and the host, as a person reads them in a terminal."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

COLOURS: Final = {"error": "\x1b[31m", "warning": "\x1b[33m", "function": "\x1b[36m", "quiet": "\x1b[2m"}
PLAIN: Final = "\x1b[0m"

FUNCTION_WIDTH: Final = len("simulator")
LEVEL_WIDTH: Final = len("warning")

LEVELS: Final = {
    "log": "info",
    "info": "info",
    "debug": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
}

HEAD_KEYS: Final = ("fn", "level", "event")

MARKED: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
"""Control characters and how they are shown: what a log line quotes must not steer the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line: when (UTC epoch ms), from whom, how bad, the text as it was written."""

    time_ms: int
    source: str
    level: str
    text: str


def readable(line: LogLine, *, colour: bool) -> str:
    """`12:01:05 router    info    GET /api/health  status=200 ms=12`; what is no JSON stays as it is."""
    source, level, text = line.source, line.level, line.text
    document = _document(text)
    if document is not None:
        source = str(document.get("fn", source))
        level = str(document.get("level", level))
        text = f"{document['event']}  {_facts(document)}".rstrip()
    level, text = LEVELS.get(level, level), text.translate(MARKED)
    clock = datetime.fromtimestamp(line.time_ms / 1000, tz=UTC).astimezone().strftime("%H:%M:%S")
    padded = source.ljust(FUNCTION_WIDTH), level.ljust(LEVEL_WIDTH)
    if not colour:
        return f"{clock} {padded[0]} {padded[1]} {text}"
    head = f"{COLOURS['quiet']}{clock}{PLAIN} {COLOURS['function']}{padded[0]}{PLAIN}"
    return f"{head} {COLOURS.get(level, '')}{padded[1]} {text}{PLAIN}"


def _document(text: str) -> dict[str, object] | None:
    if not text.startswith("{"):
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and "event" in document else None


def _facts(document: dict[str, object]) -> str:
    """What the line says beside its head. A traceback keeps its lines: it is there to be read."""
    facts = {key: str(value) for key, value in document.items() if key not in HEAD_KEYS and value is not None}
    return " ".join(f"{key}=\n{text}" if "\n" in text else f"{key}={text}" for key, text in facts.items())
