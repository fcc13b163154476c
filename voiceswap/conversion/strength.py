"""Voices between a source's own and the target's."""

from dataclasses import replace

from voiceswap.conversion.engine import Engine
from voiceswap.conversion.options import ConversionOptions
from voiceswap.conversion.recording import EncodedRecording
from voiceswap.conversion.voice import Voice


def of_strength(
    engine: Engine, source: EncodedRecording, voice: Voice, options: ConversionOptions
) -> Voice:
    """The voice that is `options.strength` of the way from the source's own to `voice`."""
    if options.strength == 1.0:
        return voice
    own = engine.embed([source])[0]
    if options.source_pitch is not None:  # from which the source's pitch is moved
        own = replace(own, log_f0=own.log_f0.new_tensor(options.source_pitch))
    return own.toward(voice, options.strength)
