"""What the codes contain: probes, information in nats, and the plane of speaker codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voiceswap.audio import prepare_audio, read_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.dsp.level import set_level
from voiceswap.evaluation.pairs import speaker_of
from voiceswap.features import AudioConfig, extract_f0, log_f0_statistics
from voiceswap.models import pretrained
from voiceswap.models.front_ends import WhisperFrontEnd

UNITS = 50  # k-means units of the content probe, of the order of the phones of a language
PROBE_FRAMES = 12000  # for training and testing the content probe
SPLITS = 20  # of the speaker probe
HELD_OUT = 0.2  # share of the recordings that a probe is tested on


@dataclass(frozen=True)
class ProbedRecording:
    """A recording's posteriors, and the features that the probes predict from them."""

    speaker: str
    seconds: float
    content: np.ndarray  # mean of q(content | speech), (frames, code)
    speaker_code: np.ndarray  # mean of q(speaker | speech), (code,)
    content_kl: float  # nats, whole recording
    speaker_kl: float  # the same
    log_f0_mean: float
    # Features of Whisper base's encoder, normalised over the recording, (frames at 50 Hz, 512).
    phonetic: np.ndarray


@torch.inference_mode()
def encode(swapper: VoiceSwapper, paths: Iterable[Path]) -> list[ProbedRecording]:
    """Encode recordings: both posteriors, and the features for the content probe's units."""
    recogniser = pretrained.front_end("whisper-base", AudioConfig()).to(swapper.device)
    coded = []
    for path in paths:
        rate = swapper.engine.audio.sample_rate
        samples = set_level(read_audio(path, rate), rate)
        content, speaker = swapper.codes((samples, rate))
        wave = prepare_audio(samples, rate, WhisperFrontEnd.sample_rate)
        length = torch.tensor([len(wave)], device=swapper.device)
        features = recogniser(torch.from_numpy(wave)[None].to(swapper.device), length)
        phonetic = features[0].T.cpu().numpy()
        coded.append(
            ProbedRecording(
                speaker=speaker_of(path),
                seconds=len(samples) / rate,
                content=content.mode()[0].T.cpu().numpy(),
                speaker_code=speaker.mode()[0].cpu().numpy(),
                content_kl=content.kl().sum().item(),
                speaker_kl=speaker.kl().sum().item(),
                log_f0_mean=log_f0_statistics(extract_f0(samples, swapper.engine.audio))[0],
                phonetic=(phonetic - phonetic.mean(0)) / (phonetic.std(0) + 1e-5),
            )
        )
    return coded


def disentanglement(coded: list[ProbedRecording]) -> dict:
    """Probes and rates of both codes.

    Speaker probes classify the speaker from the content code, pooled over time in three ways: its
    mean (AGAIN-VC, 2021); mean and standard deviation; the correlations between its channels.
    Instance norm makes the first two constant whatever the code contains, so the third is the
    meaningful one.

    Returns:
        "recordings", "kl" and "speaker_space"; "speaker_probe" and "content_probe" with enough
        recordings.

    Raises:
        ImportError: scikit-learn is missing.
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
    several = len(names) >= 2 and min(map(speakers.count, names)) >= 2
    if several and HELD_OUT * len(coded) >= len(names):
        pooled = {
            "content_mean": lambda item: item.content.mean(0),
            "content_mean_and_deviation": lambda item: np.concatenate(
                [item.content.mean(0), item.content.std(0)]
            ),
            "content_correlations": lambda item: channel_correlations(item.content),
            "speaker": lambda item: item.speaker_code,
        }
        report["speaker_probe"] = {"chance": 1 / len(names)} | {
            name: speaker_probe(np.stack([pool(item) for item in coded]), speakers)
            for name, pool in pooled.items()
        }
    if len(coded) >= 5:
        report["content_probe"] = content_probe(coded)
    return report


def speaker_probe(vectors: np.ndarray, speakers: list[str]) -> float:
    """Accuracy of a linear classifier of the speaker, on recordings held out.

    Mean over 20 random splits into 80 and 20 %, with each speaker in both. Vectors that are
    constant give chance.

    Args:
        vectors: (recordings, size).
        speakers: of each recording.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score

    deviation = vectors.std(0)
    # Smaller deviations are rounding errors, which scaling would amplify.
    informative = deviation > 1e-4 * max(1.0, float(np.abs(vectors).max()))
    scaled = (vectors - vectors.mean(0)) / np.where(informative, deviation, np.inf)
    splits = StratifiedShuffleSplit(SPLITS, test_size=HELD_OUT, random_state=0)
    classifier = LogisticRegression(C=0.1, max_iter=500)
    return float(cross_val_score(classifier, scaled, speakers, cv=splits).mean())


def content_probe(coded: list[ProbedRecording]) -> dict[str, float]:
    """Accuracy of linear classifiers of phone-like units, frame by frame, from each code.

    Units are k-means clusters of features of Whisper's encoder (as HuBERT's, Hsu et al., 2021),
    learned here. A fifth of the recordings is held out.

    Returns:
        Accuracy from the "content" and from the "speaker" code, the number of "units", and
        "chance", the share of the commonest unit.
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
    test_recordings = random.permutation(len(coded))[: max(1, round(HELD_OUT * len(coded)))]
    held_out = np.isin(owner, test_recordings)
    chosen = random.permutation(len(owner))[:PROBE_FRAMES]
    train, test = chosen[~held_out[chosen]], chosen[held_out[chosen]]
    clusters = KMeans(UNITS, random_state=0, n_init=1, max_iter=30).fit(phonetic[train])
    units = clusters.predict(phonetic)
    report = {
        "units": float(UNITS),
        "chance": float(np.unique(units[test], return_counts=True)[1].max() / len(test)),
    }
    for name, codes in (("content", content), ("speaker", speaker)):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=100, tol=1e-2))
        classifier.fit(codes[train], units[train])
        report[name] = float(classifier.score(codes[test], units[test]))
    return report


def speaker_space(coded: list[ProbedRecording]) -> dict:
    """The first two principal components of the speaker codes.

    Returns:
        "explained", the share of the variance of each component, and "points", one for each
        recording: "speaker", "x", "y" and the mean "f0" in Hz.
    """
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


def channel_correlations(codes: np.ndarray) -> np.ndarray:
    """Correlations between the channels of a code (frames, code): (code * (code - 1) / 2,)."""
    unit = (codes - codes.mean(0)) / (codes.std(0) + 1e-5)
    return (unit.T @ unit / len(codes))[np.triu_indices(codes.shape[1], 1)]


def _resampled(codes: np.ndarray, frames: int) -> np.ndarray:
    """A code (any frames, code) resampled to `frames` frames, by taking the nearest."""
    nearest = np.minimum((np.arange(frames) + 0.5) * len(codes) / frames, len(codes) - 1)
    return codes[nearest.astype(int)]
