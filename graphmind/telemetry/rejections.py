"""What a load could not use: counted by reason, with a few samples, never dropped silently."""

from dataclasses import dataclass, field

SAMPLES_MAX = 3
SAMPLE_CHARS_MAX = 200


@dataclass
class Rejections:
    """Counts of rejected records by reason, with the first few samples of each."""

    counts: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, sample: str = "", count: int = 1) -> None:
        """Count records rejected for a reason; ``sample`` says which, cut to 200 characters."""
        self.counts[reason] = self.counts.get(reason, 0) + count
        kept = self.samples.setdefault(reason, [])
        if sample and len(kept) < SAMPLES_MAX:
            kept.append(sample[:SAMPLE_CHARS_MAX])

    def merge(self, other: "Rejections") -> None:
        """Take over another count."""
        for reason, count in other.counts.items():
            self.add(reason, count=count)
            for sample in other.samples.get(reason, ()):
                self.add(reason, sample, count=0)

    def rows(self) -> list[dict[str, object]]:
        """Return ``{reason, count, samples}`` sorted by reason."""
        return [
            {"reason": reason, "count": self.counts[reason], "samples": self.samples[reason]}
            for reason in sorted(self.counts)
        ]
