"""The weights in the package; MODEL_CARD.md beside this file has their origins and metrics."""

from pathlib import Path

FOLDER = Path(__file__).parent
