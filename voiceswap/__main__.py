"""`python -m voiceswap` is the command `voiceswap`, also where its folder is not on PATH."""

from voiceswap.cli import main

if __name__ == "__main__":
    main()
