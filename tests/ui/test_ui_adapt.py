"""Training a voice on the page."""

import json

import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

from browser import PATIENCE, field, open_tab, says, type_in, upload
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from voiceswap.adaptation import adapt as adaptation
from voiceswap.ui import adapt_panel


def test_a_voice_is_trained_and_kept(address, context, speech, monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", ((1.0, 2), (2.0, 2)))
    monkeypatch.setattr(adaptation, "EVERY", 2)
    client, files = Client(address, verbose=False), [handle_file(speech[0])]
    for agreed, name, sentence in ((False, "Anna", "^Tick the box"), (True, "", "needs a name")):
        with pytest.raises(AppError, match=sentence):
            client.predict(files, name, agreed, api_name="/adapt_voice")
    name, table, *players = client.predict(files, "Anna", True, api_name="/adapt_voice")
    assert name == "Anna" and "Similarity to the voice" in table
    assert len(players) == 2 and context.library.names() == ["Anna"]
    notes = context.library.voice("Anna").notes
    assert notes["consent"] is True and notes["adapted"]["steps"] in (0, 2)
    assert json.dumps(notes)
    with pytest.raises(AppError, match="There is a voice 'Anna' already"):
        client.predict(files, "Anna", True, api_name="/adapt_voice")


def test_a_name_that_is_taken_meanwhile_loses_no_voice(
    address, context, swapper, speech, monkeypatch
):
    taken = ["Anna", "anna 2"]

    def adapt(*arguments, **options):
        adapted = adaptation.adapt(*arguments, steps=1, **options)
        for name in taken:  # by another visitor
            context.library.add(name, swapper.sample(3))
        return adapted

    monkeypatch.setattr(adapt_panel, "adapt", adapt)
    files, client = [handle_file(speech[0])], Client(address, verbose=False)
    name, *_ = client.predict(files, "Anna", True, api_name="/adapt_voice")
    assert name == "Anna 3" and context.library.names() == [*taken, "Anna 3"]
    assert context.library.voice(name).notes["consent"] is True


def test_it_asks_for_consent_and_shows_what_came(visit, address, context, speech, monkeypatch):
    monkeypatch.setattr(adaptation, "STEPS", ((1.0, 2), (2.0, 2)))
    monkeypatch.setattr(adaptation, "EVERY", 2)
    page = visit(address, "Voices")
    open_tab(page, "Train a voice")
    upload(page, "adapt-recordings", [speech[1]])
    type_in(field(page, "adapt-name"), "Ben")
    page.click("#adapt-go")
    says(page, "Tick the box first")
    page.check("#adapt-consent input")
    page.click("#adapt-go")
    page.wait_for_selector("#adapt-table table", timeout=2 * PATIENCE * 1000)
    assert context.library.names() == ["Ben"]
