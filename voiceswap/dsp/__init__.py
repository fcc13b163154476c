"""What samples and their spectra tell: F0, pauses, bandwidth, clipping and noise."""
