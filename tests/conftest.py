"""Real speech for the tests.

The recordings in the package, and a corpora folder where there is one: VOICESWAP_CORPORA, or
shared/corpora beside the repository, with LibriSpeech/test-other in it.
"""

import os

# Before torch. As the package does; and one thread for each process that runs tests.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
from pathlib import Path

import numpy as np
import pytest
from rates import RATE
from tiny_model import save_tiny_model

from voiceswap import Voice, VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.examples import GOODBYE, HELLO

CORPORA = Path(
    os.environ.get("VOICESWAP_CORPORA", Path(__file__).parents[2] / "shared" / "corpora")
)
# A shell ignores SIGINT in background jobs, and so would the commands under test.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def swapper() -> VoiceSwapper:
    """The model in the package."""
    return VoiceSwapper.load(device="cpu")


@pytest.fixture(scope="session")
def exact() -> VoiceSwapper:
    """The model in the package, in 32 bits."""
    return VoiceSwapper.load(device="cpu", precision="fp32")


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """The file of a tiny model."""
    return save_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def tiny(model) -> VoiceSwapper:
    return VoiceSwapper.load(model, "cpu")


@pytest.fixture(scope="session")
def hello() -> np.ndarray:
    """A man, 16 kHz."""
    return read_audio(HELLO, 16000)


@pytest.fixture(scope="session")
def goodbye() -> np.ndarray:
    """A woman, 16 kHz."""
    return read_audio(GOODBYE, 16000)


@pytest.fixture(scope="session")
def hello_24k() -> np.ndarray:
    """The man at the rate of the model in the package."""
    return read_audio(HELLO, RATE)


@pytest.fixture(scope="session")
def goodbye_24k() -> np.ndarray:
    """The woman at the rate of the model in the package."""
    return read_audio(GOODBYE, RATE)


@pytest.fixture(scope="session")
def hello_voice(swapper, hello_24k) -> Voice:
    """The man's, for tests of something else than how a voice is taken from a recording."""
    return swapper.embed(hello_24k)


@pytest.fixture(scope="session")
def goodbye_voice(swapper, goodbye_24k) -> Voice:
    """The woman's, as `hello_voice`."""
    return swapper.embed(goodbye_24k)


@pytest.fixture(scope="session", params=["bundled", "people"])
def clean(request) -> list[np.ndarray]:
    """Recordings of different people without noise, 16 kHz: those in the package, and others."""
    if request.param == "bundled":
        return [read_audio(path, 16000) for path in (HELLO, GOODBYE)]
    people = request.getfixturevalue("people")
    return [read_audio(people[number][0], 16000) for number in (2, 3, 6)]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The corpora folder; a test that asks for it is skipped where there is none."""
    if not (CORPORA / "LibriSpeech" / "test-other").is_dir():
        pytest.skip(f"no corpora at {CORPORA}")
    return CORPORA


@pytest.fixture(scope="session")
def people(corpora: Path) -> list[list[Path]]:
    """Recordings of ten held-out speakers, a list each."""
    return [
        sorted(folder.rglob("*.flac"))
        for folder in sorted((corpora / "LibriSpeech" / "test-other").iterdir())
        if folder.is_dir()
    ]
