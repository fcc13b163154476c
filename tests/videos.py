"""Videos for the tests."""

from pathlib import Path

import av
import numpy as np

CODECS = {"mp4": ("mpeg4", "aac"), "mkv": ("mpeg4", "aac"), "webm": ("libvpx", "libopus")}


def video(path: Path, samples: np.ndarray, late: float = 0.0) -> Path:
    """A video of 64 x 64 pixels, whose sound of 16 kHz begins so many seconds late."""
    codec, sound = CODECS[path.suffix[1:]]
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(codec, rate=10)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        if codec == "mpeg4":
            pictures.codec_context.max_b_frames = 2  # as of phones: reordered
        track = container.add_stream(sound, rate=48000, layout="mono")
        resampler = av.AudioResampler(track.format, "mono", 48000)
        for brightness in range(0, 250, 6):
            image = np.full((64, 64, 3), brightness, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.rate, frame.pts = 16000, round(late * 16000)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(track.encode(part))
        container.mux(track.encode(None))
    return path
