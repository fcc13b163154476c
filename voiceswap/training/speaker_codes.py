"""The distribution of speakers' codes, from their recordings."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from lhotse.cut import Cut
from rich.progress import track

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.errors import AudioError, DataError
from voiceswap.models.checkpoint import Checkpoint
from voiceswap.models.speaker_distribution import SpeakerDistribution
from voiceswap.notes import notes_to
from voiceswap.training.corpora import read_cuts
from voiceswap.training.cut_audio import load_samples


def fit_speakers(checkpoint: Checkpoint, manifests: Sequence[Path]) -> SpeakerDistribution:
    """The distribution of the codes of all speakers in manifests, one code each.

    A code is that of the speaker's longest cut. Raises DataError for fewer than two speakers, and
    VoiceswapError where a manifest or a cut can't be used.
    """
    longest: dict[str, Cut] = {}
    for path in manifests:
        for cut in read_cuts(path, audio=True):
            speaker = cut.supervisions[0].speaker
            if speaker not in longest or cut.duration > longest[speaker].duration:
                longest[speaker] = cut
    if len(longest) < 2:
        raise DataError(
            f"The manifests have {len(longest)} of the two speakers that --speakers needs at least;"
            " give more manifests, or leave it out."
        )
    swapper = VoiceSwapper(deepcopy(checkpoint))  # which changes its networks
    codes = []
    with notes_to(lambda note: None):  # of recordings that nobody gives as a reference
        for cut in track(longest.values(), "Encoding the speakers", transient=True):
            samples = load_samples(cut)
            try:
                codes.append(swapper.voice([(samples, cut.sampling_rate)]).code.cpu())
            except AudioError as error:  # its sentence can't tell which of the recordings
                raise AudioError(
                    f"{cut.id} is no speech ({str(error).rstrip('.')}); make the manifest again "
                    "with python -m data_prep."
                ) from error
    return SpeakerDistribution(checkpoint.audio, len(codes[0])).fit(torch.stack(codes))
