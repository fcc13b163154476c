"""Style sheet and explanations of the report's page."""

from voiceswap.evaluation.metrics import IN_TRAINING_NOTE

STYLE = """
:root { color-scheme: light dark; --ink: #212529; --soft: #6c757d;
  --ground: #f8f9fa; --card: #fff; --line: #dee2e6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9ecef; --soft: #adb5bd; --ground: #16181b; --card: #202327; --line: #343a40; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 70rem;
  background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.9rem; }
h2 { margin: 2.6rem 0 .8rem; font-size: 1.25rem; }
h3 { margin: 0 0 .6rem; font-size: 1rem; }
p { max-width: 48rem; } .soft, figcaption, dd { color: var(--soft); font-size: .9rem; }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.1rem 1.25rem; margin: 1rem 0; }
section { overflow-x: auto; padding: .3rem .6rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border: 0; }
th { font-size: .85rem; color: var(--soft); font-weight: 600; }
td small { color: var(--soft); margin-left: .4rem; }
img { max-width: 100%; display: block; margin: .8rem auto; border-radius: 8px; }
.players { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.players audio { width: 100%; height: 36px; display: block; margin-top: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; }
code { font-size: .85em; overflow-wrap: anywhere; }
"""

NOTES = (
    "Means over all pairs with 95 % bootstrap intervals; arrows show which direction is better. "
    "Pairs that share a speaker are not independent, so the intervals draw speakers, not pairs.",
    "SV and DV compare every output with one reference, the first. SV-all and DV-all compare it "
    "with the mean vector of all references of the set, however many the conversion used: use "
    "these to compare one reference with several.",
    "Source recordings are the ceiling of content and sound and, unconverted, the floor of the "
    "voice. Copy synthesis is the vocoder alone on recorded speech (voice and MOS of the "
    "target's, content and pitch of the source's), the ceiling of any conversion with this "
    "vocoder. Pitch moved is the source through the vocoder at the target's mean pitch, a floor "
    "of the voice.",
    IN_TRAINING_NOTE,
)
COMPARISON_NOTE = (
    "Metrics of this report less those of the report of {date}, pair by pair, with 95 % intervals"
    " that draw speakers; percentages in points. Where an interval holds zero, no difference is "
    "shown."
)
PROBE_NOTE = (
    "Accuracy of linear classifiers on recordings held out. Instance norm makes mean and "
    "deviation of the content code constant whatever it contains; the correlations between its "
    "channels are the meaningful probe."
)
CODE_SIZE_NOTE = (
    "{recordings} recordings encoded and decoded with only the channels of one code that have "
    "most KL; the other channels are at the prior's mean. Shown is the error of the log-mels "
    "(lower is better). Where a curve is flat, channels could be saved. The decoder was trained "
    "with all of them, so a model that is trained with fewer would lose less."
)
NOISE_NOTE = (
    "White noise on the source or on the reference. Outputs are compared with the clean "
    "recordings. Pairs: {pairs}."
)
LINE_NOTE = (
    "The source's content in voices on the straight line from its own to the target's: cosine to "
    "both ends, by verifier. Pairs: {pairs}."
)
RANDOM_NOTE = (
    "The first pair's source converted to drawn voices, and to the given voices of the set's "
    "targets. Spread is the mean of one minus the cosine between two voices."
)
