"""Lhotse cut manifests of corpora, for training: `python -m data_prep CORPUS DIR OUT`."""
