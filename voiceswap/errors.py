"""The errors a user can cause. Each message is one plain sentence that says what to do."""


class VoiceswapError(Exception):
    """Base of all errors below; commands print it without a trace."""


class AudioError(VoiceswapError):
    """A recording can't be read, used or written."""


class CheckpointError(VoiceswapError):
    """A checkpoint can't be read, or does not fit what it is put together with."""


class DataError(VoiceswapError):
    """A corpus or manifest can't be used."""


class TrainingError(VoiceswapError):
    """A run can't go on."""
