"""The Prometheus text format (version 0.0.4): metrics as values, and as text.

Format: prometheus.io/docs/instrumenting/exposition_formats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number, with its labels. `suffix` is for the parts of a histogram (`_bucket`, `_sum`, `_count`)."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric with all of its samples. Names end in their unit; counters in `_total`."""

    name: str
    kind: Kind
    help_text: str
    samples: Sequence[Sample]


def histogram_samples(
    counts: Sequence[int], bounds: Sequence[float], total: float, labels: Mapping[str, str]
) -> list[Sample]:
    """Samples of one histogram: buckets add up, the last one (`+Inf`) holds all; `total` is the sum."""
    assert len(counts) == len(bounds) + 1
    samples: list[Sample] = []
    held = 0
    for count, bound in zip(counts, [*(f"{bound:g}" for bound in bounds), "+Inf"], strict=True):
        held += count
        samples.append(Sample(value=held, labels={**labels, "le": bound}, suffix="_bucket"))
    return [
        *samples,
        Sample(value=total, labels=labels, suffix="_sum"),
        Sample(value=held, labels=labels, suffix="_count"),
    ]


def exposition(metrics: Sequence[Metric]) -> str:
    """All metrics as text. A metric without samples is left out."""
    lines: list[str] = []
    for metric in metrics:
        if not metric.samples:
            continue
        help_text = metric.help_text.replace("\\", r"\\").replace("\n", r"\n")
        lines += [f"# HELP {metric.name} {help_text}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [
            f"{metric.name}{one.suffix}{_labels(one.labels)} {_number(one.value)}" for one in metric.samples
        ]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    # A lone surrogate, which a site name may hold and UTF-8 cannot, must not break the whole page.
    text = value.encode("utf-8", errors="replace").decode()
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
