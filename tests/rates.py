"""Sample rates that tests share."""

RATE = 24000  # of the model in the package, in Hz
