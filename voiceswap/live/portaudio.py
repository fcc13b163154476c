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
                "Live conversion needs the library PortAudio; install it with your system's "
                "packages, as sudo apt install libportaudio2 on Debian and Ubuntu."
            ) from error
    return sounddevice


def sound_devices() -> list[tuple[int, str, int, int]]:
    """Number, name, input channels and output channels of every sound device.

    A name ends with the system's interface to the device, as `sounddevice` takes it: Windows has
    several to each. Raises VoiceswapError where there is none.
    """
    library = portaudio()
    found = library.query_devices()
    if not found:
        raise VoiceswapError(
            "No sound device was found; connect one, or convert a recording as if it were live: "
            "--simulate talk.wav."
        )
    interfaces = [interface["name"] for interface in library.query_hostapis()]
    return [
        (
            number,
            f"{device['name']}, {interfaces[device['hostapi']]}",
            device["max_input_channels"],
            device["max_output_channels"],
        )
        for number, device in enumerate(found)
    ]
