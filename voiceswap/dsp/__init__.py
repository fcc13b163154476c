"""Signal processing: short-time spectra, F0, pauses, bandwidth, clipping and noise."""
