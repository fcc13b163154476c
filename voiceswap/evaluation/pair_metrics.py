"""Computes the metrics of one output."""

from collections.abc import Sequence

import numpy as np

from voiceswap.evaluation.acoustics import (
    cepstral_distortion,
    f0_correlation,
    level_difference,
    voicing_difference,
)
from voiceswap.evaluation.measurement import Measurement
from voiceswap.evaluation.metrics import EQUAL_ERROR_SV
from voiceswap.evaluation.scorers import SAMPLE_RATE
from voiceswap.evaluation.text import error_rates


def voice_metrics(
    output: Measurement,
    source: Measurement,
    target: Measurement,
    enrolled: Sequence[Measurement] = (),
) -> dict[str, float]:
    """Metrics of the voice: sv, sv_accepted, sv_source, dv and closer.

    Args:
        output: the conversion.
        source: its source recording.
        target: the first reference of the target's voice.
        enrolled: several references of the target's voice; then also sv_all and dv_all, against the
            mean of their vectors. They do not depend on which references the conversion used.

    Returns:
        Metrics by key, without those of a missing scorer.
    """
    metrics = {}
    if output.sv is not None:
        metrics["sv"] = similarity(output.sv, target.sv)
        metrics["sv_accepted"] = float(metrics["sv"] > EQUAL_ERROR_SV)
        metrics["sv_source"] = similarity(output.sv, source.sv)
    if output.dv is not None:
        metrics["dv"] = similarity(output.dv, target.dv)
        metrics["closer"] = float(metrics["dv"] > similarity(output.dv, source.dv))
    for key in ("sv", "dv"):
        if key in metrics and len(enrolled) > 1:
            mean = np.mean([getattr(recording, key) for recording in enrolled], 0)
            metrics[f"{key}_all"] = similarity(getattr(output, key), mean / np.linalg.norm(mean))
    return metrics


def word_metrics(
    output: Measurement, source: Measurement, text: str, language: str
) -> dict[str, float]:
    """Metrics of the content: cer, wer, second_cer, nll; none without a recogniser or a text."""
    transcript, nll = output.transcript(language), output.nll(text, language)
    metrics = {} if nll is None else {"nll": nll}
    if transcript is not None:
        metrics |= error_rates(text, transcript, language, source.transcript(language) or "")
    second = output.second_transcript(language)
    if second is not None and (rates := error_rates(text, second, language)):
        metrics["second_cer"] = rates["cer"]
    return metrics


def sound_metrics(
    output: Measurement, source: Measurement, parallel: Measurement | None = None
) -> dict[str, float]:
    """Those of `quality_metrics`; f0_correlation, voicing and level, against the source; mcd.

    mcd is against `parallel`, a recording of the target reading the same sentence.
    """
    metrics: dict[str, float | None] = {
        **quality_metrics(output),
        "f0_correlation": f0_correlation(output.f0, source.f0),
        "voicing": voicing_difference(output.f0, source.f0),
        "level": level_difference(output.samples, source.samples, SAMPLE_RATE),
    }
    if parallel is not None:
        metrics["mcd"] = cepstral_distortion(output.cepstrum, parallel.cepstrum)
    return {key: value for key, value in metrics.items() if value is not None}


def quality_metrics(output: Measurement) -> dict[str, float]:
    """Predicted opinions of the sound: mos, dns_overall, dns_speech and dns_background."""
    metrics = {} if output.mos is None else {"mos": output.mos}
    return metrics | {f"dns_{name}": score for name, score in (output.dnsmos or {}).items()}


def similarity(first: np.ndarray | None, second: np.ndarray | None) -> float:
    """Cosine of two vectors of unit length."""
    assert first is not None and second is not None  # both are of the same scorer
    return float(first @ second)
