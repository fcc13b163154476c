"""The weights that come with the package; their origins and figures are in MODEL_CARD.md beside this file."""

from pathlib import Path

FOLDER = Path(__file__).parent
