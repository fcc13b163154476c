"""The autoencoder: content encoder, speaker encoder and mel decoder.

The decoder takes any content code with any speaker code.
"""

from torch import Tensor, nn
from torch.func import functional_call

from voiceswap.features import MEL_MEAN, MEL_STD, AudioConfig
from voiceswap.models import pretrained
from voiceswap.models.content_encoder import ContentEncoder
from voiceswap.models.decoder_delta import DecoderDelta
from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.models.mel_decoder import MelDecoder, pitch_channels
from voiceswap.models.speaker_encoder import SpeakerEncoder


class Autoencoder(nn.Module):
    """From front-end features, F0 and a reference to a log-mel spectrogram.

    `front_end` names the front end (see `pretrained.front_end`); it is not part of
    the weights. Sizes: `*_code` are the channels of the two codes, `*_width` those inside the
    networks.
    """

    def __init__(
        self,
        audio: AudioConfig,
        front_end: str = "whisper-base",
        content_width: int = 256,
        content_blocks: int = 1,
        content_code: int = 64,
        speaker_width: int = 192,
        speaker_blocks: int = 4,
        speaker_code: int = 128,
        decoder_width: int = 256,
        decoder_blocks: int = 8,
    ):
        super().__init__()
        self.audio = audio
        self.front_end = front_end
        self.architecture = {
            "front_end": front_end,
            "content_width": content_width,
            "content_blocks": content_blocks,
            "content_code": content_code,
            "speaker_width": speaker_width,
            "speaker_blocks": speaker_blocks,
            "speaker_code": speaker_code,
            "decoder_width": decoder_width,
            "decoder_blocks": decoder_blocks,
        }
        channels, self.stride = pretrained.front_end_shape(front_end, audio)
        self.content_encoder = ContentEncoder(channels, content_width, content_blocks, content_code)
        self.speaker_encoder = SpeakerEncoder(
            audio.n_mels, speaker_width, speaker_blocks, code=speaker_code
        )
        self.decoder = MelDecoder(
            content_code, speaker_code, audio.n_mels, self.stride, decoder_width, decoder_blocks
        )

    def encode_content(self, features: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        """q(content | speech) of front-end features (batch, channels, frames / stride)."""
        return self.content_encoder(features, mask)

    def encode_speaker(
        self, mel: Tensor, verifier: Tensor, mask: Tensor | None = None
    ) -> DiagonalGaussian:
        """q(speaker | speech) of log-mels (batch, mels, frames), verifier vectors (batch, 256)."""
        return self.speaker_encoder((mel - MEL_MEAN) / MEL_STD, verifier, mask)

    def decode(
        self,
        content: Tensor,
        f0: Tensor,
        f0_statistics: Tensor,
        speaker: Tensor,
        mask: Tensor | None = None,
        delta: DecoderDelta | None = None,
    ) -> Tensor:
        """Log-mel of any content with any speaker.

        Args:
            content: content code (batch, code, frames / stride).
            f0: (batch, frames), Hz, of the output, 0 where unvoiced.
            f0_statistics: mean and standard deviation of ln F0 of the output's voice, (batch, 2).
            speaker: speaker code (batch, code).
            mask: (batch, 1, frames), or None where nothing is padded.
            delta: what an adapted voice changes of the decoder.

        Returns:
            (batch, mels, frames).
        """
        inputs = (content, pitch_channels(f0, f0_statistics), speaker, mask)
        if delta is None:
            return self.decoder(*inputs)
        return functional_call(self.decoder, delta.weights(self.decoder), inputs)
