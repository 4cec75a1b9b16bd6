"""What an upstream's calls can hold, so that plans fit it. The numbers are its adapter's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """`batch_points` are points that one call may name, `call_samples` samples that its answer can bring."""

    batch_points: int
    call_samples: int

    def __post_init__(self) -> None:
        assert self.batch_points > 0
        assert self.call_samples > 0
