"""The content encoder for streams.

From a short lookahead it predicts the code that the full encoder finds with the whole recording.
"""

from voiceswap.features import AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.content_encoder import ContentEncoder
from voiceswap.models.front_end_adapter import FrontEndAdapter


class StreamingEncoder(FrontEndAdapter):
    """A content encoder for short windows, with an adapter of its own.

    Distilled from the encoder of whole recordings (Hinton et al., "Distilling the knowledge in a
    neural network", 2015), so any decoder of its autoencoder understands its code.
    """

    def __init__(
        self,
        audio: AudioConfig,
        front_end: str = "whisper-base",
        width: int = 256,
        blocks: int = 1,
        code: int = 64,
        rank: int = 32,
    ):
        super().__init__(audio, front_end, rank)
        self.architecture |= {"width": width, "blocks": blocks, "code": code}
        channels, _ = pretrained.front_end_shape(front_end, audio)
        self.content_encoder = ContentEncoder(channels, width, blocks, code)
