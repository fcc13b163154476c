"""The metrics of one output."""

from collections.abc import Sequence

import numpy as np

from voiceswap.evaluation.acoustics import cepstral_distortion, f0_correlation
from voiceswap.evaluation.measurement import Measurement
from voiceswap.evaluation.metrics import EQUAL_ERROR_SV
from voiceswap.evaluation.text import error_rates


def voice_metrics(
    output: Measurement,
    source: Measurement,
    target: Measurement,
    enrolled: Sequence[Measurement] = (),
) -> dict[str, float]:
    """Whose voice the output has: sv, sv_accepted, sv_source, dv, closer; those of a missing scorer left out.

    With several `enrolled` recordings of the target's voice also sv_all and dv_all, against the mean of their vectors:
    enrolment with several recordings. It does not depend on which of them the output was made from.
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
    """Whether the words are still there: cer, wer and nll, or nothing without a recogniser or a text."""
    transcript, nll = output.words(language), output.nll(text, language)
    errors = (
        {}
        if transcript is None
        else error_rates(text, transcript, language, source.words(language) or "")
    )
    return errors if nll is None else {**errors, "nll": nll}


def sound_metrics(
    output: Measurement, source: Measurement, parallel: Measurement | None = None
) -> dict[str, float]:
    """How it sounds: mos, f0_correlation with the source, and mcd against `parallel`, the target saying the same."""
    metrics: dict[str, float | None] = {
        "mos": output.mos,
        "f0_correlation": f0_correlation(output.f0, source.f0),
    }
    if parallel is not None:
        metrics["mcd"] = cepstral_distortion(output.cepstrum, parallel.cepstrum)
    return {key: value for key, value in metrics.items() if value is not None}


def similarity(first: np.ndarray | None, second: np.ndarray | None) -> float:
    """Cosine of two vectors of unit length."""
    assert first is not None and second is not None  # one scorer heard both
    return float(first @ second)
