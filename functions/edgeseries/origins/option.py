"""An option of a vendor's adapter, as a record of the setting `origins` may give it. It knows no vendor."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`default` None: it must be given. `words`: it is one of these; empty: any text without control
    characters. `pattern`: a regular expression that it fits as a whole.
    """

    key: str
    description: str
    default: str | None = None
    words: tuple[str, ...] = ()
    pattern: str = ""

    def fault(self, text: str) -> str | None:
        """What is wrong with a value, as the end of a sentence; None where nothing is."""
        if self.words and text not in self.words:
            return f"takes one of {', '.join(self.words)}"
        if self.pattern and not re.fullmatch(self.pattern, text):
            return f"does not fit: {self.description}"
        if not text.isprintable():
            return "holds a control character"
        return None
