"""The web page: thin over VoiceSwapper, the voice library and batch. Needs the `ui` extra."""
