"""Corpora to manifests: `python -m data_prep CORPUS DIR OUT` writes Lhotse cut manifests for training."""
