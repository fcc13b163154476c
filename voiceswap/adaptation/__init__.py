"""Adapting the decoder to one voice: `voiceswap adapt` and `VoiceSwapper.adapt`.

From some recordings of one voice to a `Voice` that carries a small change of the decoder.
"""
