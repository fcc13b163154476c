"""The samples of a cut of a manifest."""

import os

import numpy as np
from lhotse.audio import AudioLoadingError, DurationMismatchError
from lhotse.cut import Cut

from voiceswap.errors import AudioError


def load_samples(cut: Cut) -> np.ndarray:
    """The samples (channels, samples) of a cut. Raises AudioError where its file has changed."""
    try:
        return cut.load_audio()
    except (AudioLoadingError, DurationMismatchError, OSError) as error:
        # Lhotse's messages have many lines, of every reader that it tried.
        files = [source.source for source in cut.recording.sources if source.type == "file"]
        gone = [file for file in files if not os.path.exists(file)]
        what = f"{gone[0]} is missing" if gone else f"{cut.id} can't be read as its manifest has it"
        raise AudioError(f"{what}; make the manifest again with python -m data_prep.") from error
