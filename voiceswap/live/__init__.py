"""Live conversion: `voiceswap live`, on a sound device or on the clock of an imagined one."""
