"""Notes on recordings of two people, and on sources with hardly any speech."""

from voiceswap.conversion.recording import EncodedRecording, Recording
from voiceswap.conversion.reference_notes import sounds_like_speech
from voiceswap.conversion.references import densest_minute
from voiceswap.conversion.two_voices import two_pitches
from voiceswap.notes import Note, note

NO_WORDS = (
    ": little or none of it seems to be speech, so hardly any words can be converted; give speech, "
    "or a song's singing without the accompaniment, and keep the melody (--pitch exact)."
)


def note_source(item: EncodedRecording, usual: float | None, exact_pitch: bool) -> None:
    """Note that two people speak in a source, or that it has hardly any speech.

    Args:
        item: the source.
        usual: see `Checkpoint.content_log_variance`.
        exact_pitch: it is a song, whose parts may differ as two people do, and held notes from
            speech as music does.
    """
    if exact_pitch:
        return
    note_two_voices(item.recording)
    if not sounds_like_speech(item, densest_minute(item.recording), usual):
        note(Note(item.recording.name, NO_WORDS))


def note_two_voices(recording: Recording) -> None:
    """Note that a recording has two pitches, if it has."""
    pitches = two_pitches(recording.f0, recording.config.frame_rate)
    if pitches:
        low, high = pitches
        text = (
            f": two people seem to speak in it, at about {low:.0f} and {high:.0f} Hz; both get one "
            "voice at one pitch, and a voice that is taken from them is neither's, so give each "
            "person's part by itself."
        )
        note(Note(recording.name, text))
