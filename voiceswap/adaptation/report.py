"""What an adaptation used and brought."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from voiceswap.adaptation.scoring import Scores


@dataclass
class AdaptationReport:
    """What was done: seconds of speech used, steps, and scores before and after.

    `left_out` has a sentence for each part that was not used. `kept_out` names the recording that
    the scores are of; None where there was too little speech to keep one out, and a recording of
    the training measured. `helped` is whether the voice after is the better one, `stopped` whether
    it was ended early.
    """

    seconds: float
    left_out: tuple[str, ...]
    kept_out: str | None
    before: Scores
    after: Scores
    steps: int = 0
    helped: bool = False
    stopped: bool = False
    curve: list[tuple[int, float]] = field(default_factory=list)  # steps and the score that is kept


def rows(report: AdaptationReport) -> Sequence[tuple[str, str, str]]:
    """The table of scores: a name, before, after."""
    before, after = report.before, report.after
    return [
        ("similarity to the voice (higher)", f"{before.similarity:.3f}", f"{after.similarity:.3f}"),
        ("words kept (higher)", f"{before.words:.3f}", f"{after.words:.3f}"),
        (
            "error of its own recording (lower)",
            f"{before.reconstruction:.2f} dB",
            f"{after.reconstruction:.2f} dB",
        ),
    ]
