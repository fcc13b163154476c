"""Training: datasets, losses and a Lightning module for each network. Needs the `train` extra."""
