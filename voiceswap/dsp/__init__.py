"""Signal processing: short-time spectra, F0, pauses, bandwidth, clipping, noise, a limiter."""
