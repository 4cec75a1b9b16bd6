"""What attackers send, as data: names, bodies, paths. Each must reach its own data or nothing."""

from typing import Final

from edgeseries.limits import MAX_BODY_BYTES

PATHS: Final = (
    "..",
    ".",
    "...",
    "../..",
    "../made_up_plain",
    "made_up_plain/..",
    "./made_up_plain",
    "made_up_plain/",
    "/made_up_plain",
    "made_up_plain//x",
    "..\\made_up_plain",
    "%2e%2e",
    "%2e%2e%2fmade_up_plain",
    "%252e%252e",
    "made_up_plain%00",
    "made_up_plain%2F",
    "blocks/v1/made_up_plain",
    "=" + "0" * 64,
)
CONTROLS: Final = (
    "\x00",
    "made_up_plain\x00",
    "made_up_plain\x00x",
    "a\r\nX-Injected: 1",
    "a\nb",
    "\x1b[2J",
    "\x7f",
    "\t",
)
TEMPLATES: Final = (
    "{}",
    "{site}",
    "{0}",
    "{0.__class__}",
    "%s",
    "%(name)s",
    "${HOME}",
    "$(id)",
    "`id`",
    "{{7*7}}",
)
UNICODE: Final = (
    "caf\u00e9",
    "cafe\u0301",
    "\ufb01le",
    "file",
    "\u212bngstrom",
    "\u00c5ngstrom",
    "made_up\u200b_plain",
    "\u202emade_up_plain",
    "\ufeffmade_up_plain",
    "\uff4dade_up_plain",
    "\U0001f600",
    "\u0130",
    "\u00df",
    "ss",
)
CASES_AND_BLANKS: Final = (
    "MADE_UP_PLAIN",
    "Made_up_plain",
    " made_up_plain",
    "made_up_plain ",
    "made_up_plain\u00a0",
    "made_up+plain",
    "made_up plain",
    "made_up%20plain",
)
QUOTES: Final = (
    "' OR 1=1 --",
    '"; DROP TABLE cache_metadata; --',
    "made_up_plain'--",
    "a,b",
    "a;b",
    "a&site=made_up_plain",
    "a?site=made_up_plain",
    "a#b",
    "*",
    "%",
    "_",
    "[a-z]",
    "null",
    "__proto__",
    "constructor",
    "undefined",
)
LONG: Final = ("x" * 512, "x" * 513, "\u00e9" * 256, "\u00e9" * 257, "%41" * 171, "/" * 512)

HOSTILE_NAMES: Final = (*PATHS, *CONTROLS, *TEMPLATES, *UNICODE, *CASES_AND_BLANKS, *QUOTES, *LONG)

HOSTILE_BODIES: Final = {
    "arrays": b"[" * (MAX_BODY_BYTES // 2),
    "objects": b'{"a":' * (MAX_BODY_BYTES // 6),
    "closed": b'{"site":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "quotes": b"[" * 17 + b'"' + b'\\"' * (MAX_BODY_BYTES // 3),
    "backslash": b"[" * 17 + b'"\\',
    "digits": b'{"site":"x","start_time":' + b"9" * 5000 + b"}",
    "fields": b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
    "fraction": b'{"site":"x","points":["a"],"start_time":"2024-01-01T00:00:00.' + b"0" * 900_000 + b'"}',
    "surrogate": b'{"site":"\\ud800","points":["a"],"start_time":0,"end_time":1}',
    "infinite": b'{"site":"x","points":["a"],"start_time":1e308,"end_time":-1e400}',
    "not a number": b'{"site":NaN}',
    "utf-16": ('["\u2200",' + "[" * 50_000).encode("utf-16-le"),
    "names": b'{"points":[' + b",".join([b'"\\u0000"'] * 100_000) + b"]}",
}

ODD_PATHS: Final = {
    "//api/health": 404,
    "/api//health": 404,
    "/API/health": 404,
    "/api%2Fhealth": 404,
    "/api/health%00": 404,
    "/api/health%2F": 404,
    "/api/health;x=1": 404,
    "/api\\health?deep=0": 200,  # a URL parser turns it, as browsers do
    "/api/health/": 200,
    "/api/../api/health": 200,
    "/api/%2e%2e/api/health": 200,
    "/api/../../../../etc/passwd": 404,
    "/api/health?deep=%ff": 400,
    "/api/health?deep=2": 400,
    "/api/health?" + "&".join(f"p{n}=1" for n in range(1001)): 400,
    "/api/sites/%ff/points": 400,
    "/api/sites/" + "x" * 20_000 + "/points": 400,
    "/api/sites//points": 400,
    "/api/jobs/" + "x" * 129: 400,
    "/api/jobs/%00": 404,
    "/api/jobs/x%2Fresult": 404,
    "/api/jobs?cursor=WzEsIA": 400,
    "/api/jobs?cursor=" + "W1tbW1tbW1tb" * 20: 400,
    "/api/timeseries?points=" + "p" * 17_000: 413,
}
"""Paths as they are sent, and the status of each."""
