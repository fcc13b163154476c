"""The figures of one output."""

from collections.abc import Sequence

import numpy as np

from voiceswap.evaluation.acoustics import cepstral_distortion, f0_correlation
from voiceswap.evaluation.figures import EQUAL_ERROR_SV
from voiceswap.evaluation.listener import Heard
from voiceswap.evaluation.text import error_rates


def voice_figures(output: Heard, source: Heard, target: Heard, enrolled: Sequence[Heard] = ()) -> dict[str, float]:
    """Whose voice the output has: sv, sv_accepted, sv_source, dv, closer; those of a missing judge left out.

    With several `enrolled` recordings of the target's voice also sv_all and dv_all, against the mean of their vectors:
    enrolment with several recordings. It does not depend on which of them the output was made from.
    """
    figures = {}
    if output.sv is not None:
        figures["sv"] = similarity(output.sv, target.sv)
        figures["sv_accepted"] = float(figures["sv"] > EQUAL_ERROR_SV)
        figures["sv_source"] = similarity(output.sv, source.sv)
    if output.dv is not None:
        figures["dv"] = similarity(output.dv, target.dv)
        figures["closer"] = float(figures["dv"] > similarity(output.dv, source.dv))
    for key in ("sv", "dv"):
        if key in figures and len(enrolled) > 1:
            mean = np.mean([getattr(recording, key) for recording in enrolled], 0)
            figures[f"{key}_all"] = similarity(getattr(output, key), mean / np.linalg.norm(mean))
    return figures


def word_figures(output: Heard, source: Heard, text: str, language: str) -> dict[str, float]:
    """Whether the words are still there: cer, wer and nll, or nothing without a recogniser or a text."""
    transcript, nll = output.words(language), output.nll(text, language)
    errors = {} if transcript is None else error_rates(text, transcript, language, source.words(language) or "")
    return errors if nll is None else {**errors, "nll": nll}


def sound_figures(output: Heard, source: Heard, parallel: Heard | None = None) -> dict[str, float]:
    """How it sounds: mos, f0_correlation with the source, and mcd against `parallel`, the target saying the same."""
    figures: dict[str, float | None] = {"mos": output.mos, "f0_correlation": f0_correlation(output.f0, source.f0)}
    if parallel is not None:
        figures["mcd"] = cepstral_distortion(output.cepstrum, parallel.cepstrum)
    return {key: value for key, value in figures.items() if value is not None}


def similarity(first: np.ndarray | None, second: np.ndarray | None) -> float:
    """Cosine of two vectors of unit length."""
    assert first is not None and second is not None  # one judge heard both
    return float(first @ second)
