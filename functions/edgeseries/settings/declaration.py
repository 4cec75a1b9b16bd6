"""What a setting is: its type and bounds, its default, and the binding by which Workers take it.

The infra program reads the texts that operators set (`infra/stack/readers.py`), and writes bindings with
`binding_text`; Workers read them with `whole` (`platform/bindings.py`). Both check the same bounds. It knows
no setting and no platform.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number within bounds, both included."""

    low: int
    high: int

    @property
    def allowed(self) -> str:
        """The bounds, as the docs write them."""
        return f"{self.low:,} to {self.high:,}".replace(",", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number within bounds, both included; parts of one are written with a point."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        """The bounds, as the docs write them."""
        low = f"{self.low:f}".rstrip("0").rstrip(".")
        return f"{low} to {self.high:,.0f}".replace(",", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words, as the docs write them."""
        return " ".join(f"`{word}`" for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false."""

    allowed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of a form that `infra/stack/readers.py` knows by its name: a URL, a hostname, a cron."""

    form: str
    allowed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret. Nobody but the Worker that takes it sees its value, so that it has no bounds."""

    allowed: str = "set with `--secret`"


Kind = Whole | Amount | Word | Flag | Text | Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. `key` is that of Pulumi config. Defaults are texts, as operators set them.

    `default` is None for a setting that is required, or that may stay unset. `workers` take it as the
    binding `binding`; a number is there `scale` times as large, so that Workers count in milliseconds and
    bytes alone. A setting without `workers` is for the platform's configuration.
    """

    key: str
    kind: Kind
    unit: str
    description: str
    default: str | None = None
    default_in_production: str | None = None
    default_in_preview: str | None = None
    required: bool = False
    binding: str = ""
    scale: int = 1
    workers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert bool(self.binding) == bool(self.workers), (
            f"{self.key}: a binding without a Worker, or without a name"
        )

    @property
    def secret(self) -> bool:
        """Whether the value is kept as a Pulumi secret."""
        return isinstance(self.kind, Secret)

    def binding_text(self, value: object) -> str:
        """A value as Workers get it. Raises TypeError for one that is no text and no number."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{self.key} is {type(value).__name__}, which no binding holds")
        return str(round(value * self.scale))

    def whole(self, text: str) -> int:
        """The number of a binding's text, in the binding's unit. Raises ValueError out of bounds."""
        assert isinstance(self.kind, Whole | Amount), f"{self.key} is no number"
        number = int(text)
        if not self.kind.low * self.scale <= number <= self.kind.high * self.scale:
            raise ValueError(
                f"{self.binding} is {number}, and setting {self.key} allows {self.kind.allowed} {self.unit}: "
                "deploy this Worker with the program that it is of"
            )
        return number
