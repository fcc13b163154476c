"""The sound devices, by PortAudio."""

from typing import Any

from voiceswap.errors import VoiceswapError, needs_extra


def portaudio() -> Any:
    """The module sounddevice. Raises VoiceswapError where it or its library is missing."""
    with needs_extra("Live conversion", "live"):
        try:
            import sounddevice
        except OSError as error:  # the library that it wraps
            raise VoiceswapError(
                "Live conversion needs PortAudio; install it with: sudo apt install libportaudio2."
            ) from error
    return sounddevice


def sound_devices() -> list[tuple[int, str, int, int]]:
    """Number, name, input channels and output channels of every sound device.

    Raises VoiceswapError where there is none.
    """
    found = portaudio().query_devices()
    if not found:
        raise VoiceswapError(
            "No sound device was found; connect one, or convert a recording as if it were live: "
            "--simulate talk.wav."
        )
    keys = ("name", "max_input_channels", "max_output_channels")
    return [(number, *(device[key] for key in keys)) for number, device in enumerate(found)]
