"""What each code knows: probes, information, and a picture of the speaker space."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voiceswap.audio import prepare_audio, read_audio, set_level
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.evaluation.pairs import speaker_of
from voiceswap.features import AudioConfig, extract_f0, log_f0_statistics
from voiceswap.models import pretrained
from voiceswap.models.speaker_verifier import SpeakerVerifier

UNITS = 50  # k-means units of the content probe, of the order of the phones of a language
PROBE_FRAMES = 12000  # frames that the content probe learns from and is tested on
SPLITS = 20
HELD_OUT = 0.2


@dataclass(frozen=True)
class Coded:
    """A recording's posteriors and what the probes ask of them."""

    speaker: str
    seconds: float
    content: np.ndarray  # mean of q(content | speech), (frames, code)
    speaker_code: np.ndarray  # mean of q(speaker | speech), (code,)
    content_kl: float  # nats, whole recording
    speaker_kl: float
    log_f0_mean: float
    phonetic: (
        np.ndarray
    )  # Whisper base encoder's features, normalised over the recording, (frames at 50 Hz, 512)


@torch.inference_mode()
def encode(swapper: VoiceSwapper, paths: Iterable[Path]) -> list[Coded]:
    """Both posteriors of each recording, and the features that the content probe takes its units from."""
    listening = pretrained.front_end("whisper-base", AudioConfig()).to(swapper.device)
    coded = []
    for path in paths:
        samples = set_level(read_audio(path, swapper.sample_rate), swapper.sample_rate)
        content, speaker = swapper.codes(samples)
        wave = torch.from_numpy(
            prepare_audio(samples, swapper.sample_rate, SpeakerVerifier.sample_rate)
        )[None].to(swapper.device)
        phonetic = (
            listening(wave, torch.tensor([wave.shape[-1]], device=swapper.device))[0]
            .T.cpu()
            .numpy()
        )
        coded.append(
            Coded(
                speaker=speaker_of(path),
                seconds=len(samples) / swapper.sample_rate,
                content=content.mode()[0].T.cpu().numpy(),
                speaker_code=speaker.mode()[0].cpu().numpy(),
                content_kl=content.kl().sum().item(),
                speaker_kl=speaker.kl().sum().item(),
                log_f0_mean=log_f0_statistics(extract_f0(samples, swapper.engine.audio))[0],
                phonetic=(phonetic - phonetic.mean(0)) / (phonetic.std(0) + 1e-5),
            )
        )
    return coded


def disentanglement(coded: list[Coded]) -> dict:
    """Probes and rates of both codes. Raises ImportError without scikit-learn.

    Speaker probes read who speaks from the content code pooled over time, in three ways: by its mean (AGAIN-VC,
    2021); by mean and standard deviation; by the correlations between its channels. Instance norm makes the first two
    constant whatever the code knows, so the third is the one to trust.
    """
    seconds = sum(item.seconds for item in coded)
    report: dict = {
        "recordings": len(coded),
        "kl": {
            "content_nats_per_second": sum(item.content_kl for item in coded) / seconds,
            "speaker_nats_per_second": sum(item.speaker_kl for item in coded) / seconds,
            "speaker_nats_per_recording": sum(item.speaker_kl for item in coded) / len(coded),
        },
        "speaker_space": speaker_space(coded),
    }
    speakers = [item.speaker for item in coded]
    names = sorted(set(speakers))
    if (
        len(names) >= 2
        and min(map(speakers.count, names)) >= 2
        and HELD_OUT * len(coded) >= len(names)
    ):
        report["speaker_probe"] = {
            "chance": 1 / len(names),
            "content_mean": speaker_probe(
                np.stack([item.content.mean(0) for item in coded]), speakers
            ),
            "content_mean_and_deviation": speaker_probe(
                np.stack(
                    [np.concatenate([item.content.mean(0), item.content.std(0)]) for item in coded]
                ),
                speakers,
            ),
            "content_correlations": speaker_probe(
                np.stack([_correlations(item.content) for item in coded]), speakers
            ),
            "speaker": speaker_probe(np.stack([item.speaker_code for item in coded]), speakers),
        }
    if len(coded) >= 5:
        report["content_probe"] = content_probe(coded)
    return report


def speaker_probe(vectors: np.ndarray, speakers: list[str]) -> float:
    """Accuracy of a linear classifier that reads the speaker from `vectors` (recordings, size), on recordings held out.

    Mean over 20 random splits into 80 and 20 %, each speaker in both. A vector that never changes gives chance.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score

    spread = vectors.std(0)
    informative = spread > 1e-4 * max(
        1.0, float(np.abs(vectors).max())
    )  # the rest is rounding, which scaling would blow up
    scaled = (vectors - vectors.mean(0)) / np.where(informative, spread, np.inf)
    splits = StratifiedShuffleSplit(SPLITS, test_size=HELD_OUT, random_state=0)
    return float(
        cross_val_score(LogisticRegression(C=0.1, max_iter=500), scaled, speakers, cv=splits).mean()
    )


def content_probe(coded: list[Coded]) -> dict[str, float]:
    """Accuracy of linear classifiers that read phone-like units, frame by frame, from each code.

    Units are k-means clusters of Whisper's encoder features (as HuBERT's, Hsu et al., 2021), learned here; a fifth of
    the recordings is held out. `chance` is the share of the commonest unit.
    """
    from sklearn.cluster import KMeans
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    content = np.concatenate([_resampled(item.content, len(item.phonetic)) for item in coded])
    speaker = np.concatenate(
        [np.tile(item.speaker_code, (len(item.phonetic), 1)) for item in coded]
    )
    owner = np.concatenate([np.full(len(item.phonetic), index) for index, item in enumerate(coded)])
    phonetic = np.concatenate([item.phonetic for item in coded])
    random = np.random.default_rng(0)
    held_out = np.isin(
        owner, random.permutation(len(coded))[: max(1, round(HELD_OUT * len(coded)))]
    )
    chosen = random.permutation(len(owner))[:PROBE_FRAMES]
    learn, test = chosen[~held_out[chosen]], chosen[held_out[chosen]]
    units = (
        KMeans(UNITS, random_state=0, n_init=1, max_iter=30).fit(phonetic[learn]).predict(phonetic)
    )
    report = {
        "units": float(UNITS),
        "chance": float(np.unique(units[test], return_counts=True)[1].max() / len(test)),
    }
    for name, codes in (("content", content), ("speaker", speaker)):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100, tol=1e-2))
        report[name] = float(
            classifier.fit(codes[learn], units[learn]).score(codes[test], units[test])
        )
    return report


def speaker_space(coded: list[Coded]) -> dict:
    """The plane in which speaker codes differ most (principal components), a point for each recording."""
    codes = np.stack([item.speaker_code for item in coded]).astype(np.float64)
    centred = codes - codes.mean(0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    share = np.square(sizes[:2]) / max(np.square(sizes).sum(), 1e-12)
    points = [
        {
            "speaker": item.speaker,
            "x": float(x),
            "y": float(y),
            "f0": float(np.exp(item.log_f0_mean)),
        }
        for item, (x, y) in zip(coded, centred @ axes[:2].T, strict=True)
    ]
    return {"explained": share.tolist(), "points": points}


def _correlations(codes: np.ndarray) -> np.ndarray:
    """Correlations between channels of (frames, code), each pair once."""
    unit = (codes - codes.mean(0)) / (codes.std(0) + 1e-5)
    return (unit.T @ unit / len(codes))[np.triu_indices(codes.shape[1], 1)]


def _resampled(codes: np.ndarray, frames: int) -> np.ndarray:
    """Codes (any frames, code) at the nearest of `frames` evenly spread moments."""
    return codes[
        np.minimum((np.arange(frames) + 0.5) * len(codes) / frames, len(codes) - 1).astype(int)
    ]
