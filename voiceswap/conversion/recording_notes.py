"""Notes on recordings that are not one person's clean speech.

`python benchmarks/references.py CORPORA` measures how often those on references are right.
"""

import numpy as np

from voiceswap.audio_io.checks import MIN_RECORDING_SECONDS
from voiceswap.conversion.clusters import two_clusters
from voiceswap.conversion.options import ConversionOptions
from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.references import densest_minute
from voiceswap.conversion.two_voices import two_pitches
from voiceswap.models.speaker_verifier import SpeakerVerifier
from voiceswap.notes import Note, note

# Of the verifier's windows of 1.6 s, one every 0.4 s:
MIN_VOICED = 0.4  # share of frames that are voiced; other windows tell little of a speaker
MIN_WINDOWS = 3  # of each person
# Two clusters are two people if their centroids' cosine is below this, by the windows of the
# smaller: the fewer they are, the more a centroid depends on the words.
WINDOWS, COSINES = (3, 6), (0.64, 0.74)
# Above the content posterior's mean log-variance in speech; speech exceeds it by at most 0.13,
# noise and tones by at least 0.24.
NO_SPEECH_EXCESS = 0.18
MIN_VOICED_SECONDS = 0.3
SPEECH_DB = 30.0  # frames this far below the loudest are pauses

NEITHERS = (
    ", and a voice that is taken from them is neither's, so give each person's part by itself."
)
AS_DIALOGUE = (
    ", so convert it as a dialogue, or each person's part by itself (--source-voice keeps the "
    "characters of one reader apart)."
)
TWO_SPEAK = ": two people seem to speak in it"
TWO_PEOPLE = (
    f"{TWO_SPEAK}, and a voice that is taken from both is neither's; give a part in which one "
    "person speaks."
)
MISSING_BANDS = (
    ": it lacks frequencies, as recordings by telephone and at low bit rates do, so a part of its "
    "voice is a guess; a better recording gives a nearer voice."
)
NO_SPEECH = (
    ": little or none of it seems to be speech, so its voice is a guess; give 3 to 10 s of one "
    "person's clean speech."
)
NO_WORDS = (
    ": little or none of it seems to be speech, so hardly any words can be converted; give speech, "
    "or a song's singing without the accompaniment, and keep the melody (--pitch exact)."
)


def note_source(item: EncodedRecording, usual: float | None, options: ConversionOptions) -> None:
    """Note that two people speak in a source, or that it has hardly any speech.

    Args:
        item: the source.
        usual: see `Checkpoint.content_log_variance`.
        options: of the conversion. A song's parts may differ as two people do, and its held notes
            from speech as music does; with a source pitch, all is one person's.
    """
    if options.exact_pitch:
        return
    if options.source_pitch is None:
        note_two_voices(item.recording, AS_DIALOGUE)
    if item.recording.seconds < MIN_RECORDING_SECONDS:
        return  # of a cry or a syllable, the posterior tells nothing
    if not sounds_like_speech(item, densest_minute(item.recording), usual):
        note(Note(item.recording.name, NO_WORDS))


def note_two_voices(recording: Recording, advice: str = NEITHERS) -> None:
    """Note that a recording has two pitches, if it has, and what to do."""
    pitches = two_pitches(recording.f0, recording.config.frame_rate)
    if pitches:
        low, high = pitches
        text = (
            f"{TWO_SPEAK}, at about {low:.0f} and {high:.0f} Hz; both get one voice at one "
            f"pitch{advice}"
        )
        note(Note(recording.name, text))


def note_reference(
    item: EncodedRecording,
    span: tuple[int, int],
    vectors: np.ndarray,
    usual: float | None,
    whole: bool,
) -> None:
    """Note that a reference has hardly any speech, lacks bands, or that two people speak in it.

    Args:
        item: the reference.
        span: first and last mel frame of what its voice is taken from.
        vectors: the verifier's of its windows, (windows, 256).
        usual: see `Checkpoint.content_log_variance`.
        whole: it lacks no band.
    """
    recording = item.recording
    rate, f0 = recording.config.frame_rate, recording.f0[slice(*span)]
    if not holds_speech(item, span, usual):
        note(Note(recording.name, NO_SPEECH))
    elif two_speakers(vectors, f0, rate) and not two_pitches(recording.f0, rate):  # noted as such
        note(Note(recording.name, TWO_PEOPLE))
    elif not whole:
        note(Note(recording.name, MISSING_BANDS))


def holds_speech(item: EncodedRecording, span: tuple[int, int], usual: float | None) -> bool:
    """Whether a recording has voiced frames, and a content posterior as sure as in speech."""
    recording = item.recording
    voiced = np.count_nonzero(recording.f0[slice(*span)])
    if voiced < MIN_VOICED_SECONDS * recording.config.frame_rate:
        return False
    return sounds_like_speech(item, span, usual)


def sounds_like_speech(item: EncodedRecording, span: tuple[int, int], usual: float | None) -> bool:
    """Whether a recording's content posterior is as sure as in speech, whispered or in one word."""
    if usual is None:
        return True
    recording = item.recording
    powers = recording.contours.powers[slice(*span)]
    stride = -(-recording.frames // len(item.content_rows))
    rows = item.content_rows.read(span[0] // stride, -(-span[1] // stride))
    log_variance = rows[:, 1].mean(1).repeat(stride)[: len(powers)]
    loud = powers[: len(log_variance)] > powers.max() * 10 ** (-SPEECH_DB / 10)
    return bool(log_variance[loud].mean() - usual < NO_SPEECH_EXCESS)


def two_speakers(vectors: np.ndarray, f0: np.ndarray, frame_rate: float) -> bool:
    """Whether the windows of a recording are those of two people.

    Args:
        vectors: the verifier's of windows, (windows, 256).
        f0: (frames,), Hz, 0 where unvoiced.
        frame_rate: frames a second.
    """
    scale = frame_rate / SpeakerVerifier.frame_rate
    places = np.round(np.arange(len(vectors)) * SpeakerVerifier.step * scale).astype(int)
    length = round(SpeakerVerifier.window * scale)
    sums = np.concatenate([[0], np.cumsum(f0 > 0)])
    first, last = (np.minimum(edges, len(f0)) for edges in (places, places + length))
    vectors = vectors[sums[last] - sums[first] >= MIN_VOICED * length]
    clusters = two_clusters(vectors, MIN_WINDOWS)
    if clusters is None:
        return False
    means, second = clusters
    smaller = min(np.count_nonzero(second), np.count_nonzero(~second))
    return bool(means[0] @ means[1] < np.interp(smaller, WINDOWS, COSINES))
