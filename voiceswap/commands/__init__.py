"""The commands of the command line: options, what is printed, and files; thin over the libraries.

`voiceswap/cli.py` puts them together.
"""
