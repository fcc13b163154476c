"""What the tabs share: the model, the library, texts and limits."""

import secrets
from dataclasses import dataclass, field

from voiceswap.conversion.swapper import VoiceSwapper
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.ui.jobs import Jobs
from voiceswap.ui.texts import Texts


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

    def api(self, name: str) -> dict:
        """Options of an event that programs may call by a name."""
        return {"api_name": name, "api_visibility": "public" if self.public else "private"}
