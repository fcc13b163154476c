"""What the tabs share: the model, the library, texts and limits; answers and errors."""

import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import gradio as gr
from gradio.utils import get_upload_folder

from voiceswap.audio_io.decoding import seconds_up_to, sound_info
from voiceswap.audio_io.writing import write_audio
from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice import Voice
from voiceswap.conversion.voice_library import VoiceLibrary, file_name
from voiceswap.errors import AudioError, VoiceswapError
from voiceswap.examples import HELLO
from voiceswap.notes import notes_to
from voiceswap.ui.errors_in_chinese import in_language
from voiceswap.ui.jobs import Jobs
from voiceswap.ui.texts import Texts

# Of what is held in memory whole: the two recordings of a swap, and references.
SHORT_SECONDS = 120.0
TOGETHER_SECONDS = 900.0  # of all recordings of one voice
KNOWN_SHARE = 0.03  # of a job has to be done before its remaining time is told
T = TypeVar("T")
MODEL = "model"  # the queue of conversions
LIVE = "live"  # who is live can't wait
ADAPT = "adapt"  # takes minutes, and the model serves others meanwhile
COUNTED = (MODEL, LIVE, ADAPT)  # of what a visitor may have running or waiting only so much


@dataclass(frozen=True)
class AppContext:
    """The model, the library, texts and limits of one page."""

    swapper: VoiceSwapper
    library: VoiceLibrary
    text: Texts
    max_minutes: float = 60.0
    max_megabytes: float = 200.0
    queue_size: int = 16
    live_sessions: int = 2  # at once
    jobs: Jobs = field(default_factory=Jobs)
    public: bool = True  # whether programs may call this page: that of one language is enough
    secret: str = field(default_factory=lambda: secrets.token_hex(8))  # of what browsers keep

    @property
    def slots(self) -> dict:
        """Options of events that run the model: two at once, so that a long job leaves room."""
        return {"concurrency_id": MODEL, "concurrency_limit": 2}

    def api(self, name: str) -> dict:
        """Options of an event that programs may call by a name."""
        return {"api_name": name, "api_visibility": "public" if self.public else "private"}

    @contextmanager
    def answering(self, request: gr.Request | None = None) -> Iterator[Callable[[], None]]:
        """Show the library's errors to the visitor. Gives the function of `Jobs.running`."""
        try:
            with (
                self.jobs.running(request.session_hash if request else None) as check,
                notes_to(self._once()),
            ):
                yield check
        except VoiceswapError as error:
            raise gr.Error(
                self.sentence(error), title=self.text["sorry"], print_exception=False
            ) from error
        except gr.Error:
            raise
        except Exception as error:  # a fault of ours: the page says so, the log gets the trace
            raise gr.Error(
                self.text["fault"].format(kind=type(error).__name__), title=self.text["sorry"]
            ) from error

    def _once(self) -> Callable[[str], None]:
        """Shows each note to the visitor once: a recording that is read again has the same."""
        shown: set[str] = set()

        def say(sentence: str) -> None:
            if sentence not in shown:
                shown.add(sentence)
                gr.Warning(self.sentence(sentence))

        return say

    def sentence(self, error: VoiceswapError | str) -> str:
        """An error's message, without the server's folders in the names of files."""
        uploads, voices, temporary = map(
            re.escape, (get_upload_folder(), str(self.library.folder), tempfile.gettempdir())
        )
        own = rf"(?:{uploads}[/\\]\w+|{voices})"
        # Before a file's name, and in "the disk of FOLDER;", "the folder, FOLDER, can't".
        shown = re.sub(rf"{own}[/\\]| of {own}(?=;)|, {temporary},", "", str(error))
        return in_language(self.text.language, shown)

    def reporter(
        self, progress: gr.Progress, check: Callable[[], None], doing: str
    ) -> "Callable[..., None]":
        """A function of the share done, which checks and shows what is done and the time left.

        A second argument of it is shown first.
        """
        began = time.monotonic()

        def report(done: float, first: str = "") -> None:
            check()
            shown = doing if done else self.text["reading"]
            if KNOWN_SHARE <= done < 1:
                left = clock((time.monotonic() - began) * (1 - done) / done)
                shown = self.text["remaining"].format(doing=doing, time=left)
            progress(done, desc=first + shown)

        return report

    def needed(self, value: T | None, missing: str) -> T:
        """The value, if there is one; `missing` names the sentence if there is none."""
        if not value:
            raise VoiceswapError(self.text[missing])
        return value

    def recording(self, path: str | None, missing: str, seconds: float = SHORT_SECONDS) -> str:
        """The path of a recording of at most so many seconds.

        `missing` names the sentence if there is none.
        """
        path = self.needed(path, missing)
        self._length(path, seconds)
        return path

    def recordings(self, paths: Sequence[str], seconds: float) -> list[str]:
        """The paths, each once, of recordings of at most so many seconds.

        All together are of at most TOGETHER_SECONDS.
        """
        distinct, left = list(dict.fromkeys(paths)), TOGETHER_SECONDS
        for path in distinct:
            left -= self._length(path, seconds)
            if left < 0:
                limit = clock(TOGETHER_SECONDS)
                raise AudioError(self.text["too_long_together"].format(limit=limit))
        return distinct

    def _length(self, path: str, most: float) -> float:
        """Seconds of sound in a file. Raises AudioError if they are more than `most`."""
        try:
            # The header spares reading a long file, but may have no length, or too short a one.
            length = sound_info(Path(path)).seconds or 0.0
            if length <= most:
                length = seconds_up_to(Path(path), most)
        except AudioError:
            return 0.0  # the library tells what is wrong with it
        if length > most:
            raise AudioError(self.text["too_long"].format(name=Path(path).name, limit=clock(most)))
        return length

    def references(
        self,
        recordings: Sequence[str | None],
        voices: Sequence[str] = (),
        missing: str = "no_target",
    ) -> list[str | Path]:
        """Recordings and voices of the library, as VoiceSwapper takes them, each once.

        `missing` names the sentence if there is none.
        """
        paths = self.recordings([path for path in recordings if path], SHORT_SECONDS)
        names = dict.fromkeys(voices)
        found: list[str | Path] = [*paths, *(self.library.path(name) for name in names)]
        return self.needed(found, missing)

    def new_file(self, name: str) -> Path:
        """A path for one visitor's file, in the folder that is emptied, at a random address."""
        folder = Path(get_upload_folder()) / secrets.token_hex(32)
        folder.mkdir(parents=True)
        return folder / name

    def example(self, voice: Voice, name: str) -> str:
        """The example sentence in a voice, as a file of that name."""
        samples = self.swapper.convert(HELLO, voice)
        path = self.new_file(f"{file_name(name)}.wav")
        return str(write_audio(path, samples, self.swapper.sample_rate))

    def result(self, *names: str | Path, ending: str = "wav") -> Path:
        """A new sound file named after recordings."""
        # A file's name has 255 bytes at most.
        stems = [Path(name).stem.encode()[:100].decode(errors="ignore") for name in names]
        return self.new_file(f"{'-in-the-voice-of-'.join(stems)}.{ending}")


def clock(seconds: float) -> str:
    """Seconds as minutes:seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
