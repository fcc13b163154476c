"""Audio files in and out: decoders, channels, resampling, checks of samples, and a writer."""
