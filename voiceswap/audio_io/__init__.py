"""Audio files in and out: folders, decoders, channels, resampling, checks, and a writer."""
