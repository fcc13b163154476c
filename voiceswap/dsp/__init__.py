"""Signal processing: spectra, F0, pauses, bandwidth, clipping, noise, level, a limiter."""
