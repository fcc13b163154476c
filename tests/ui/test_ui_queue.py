"""More requests than the server takes."""

import pytest
from browser import PATIENCE, has_recording, says, take_examples

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file
from gradio_client.utils import QueueError

from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.texts import Texts


def test_who_waits_sees_it_and_a_full_queue_is_a_sentence(
    visit, swapper, endless, speech, tmp_path
):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"), queue_size=1)
    with serving(context) as (_, address):
        client = Client(address, verbose=False)
        arguments = (handle_file(speech[0]), handle_file(speech[1]), None, None)
        for _ in range(2):  # one after the other: the queue has one place
            client.submit(*arguments, api_name="/convert")
            assert endless[0].acquire(timeout=PATIENCE)
        waiting = visit(address)
        waiting.goto(f"{address}zh")
        for name, place in (("男声：你好", "swap-a"), ("女声：再见", "swap-b")):
            waiting.get_by_role("button", name=name).click()
            has_recording(waiting, place)
        waiting.click("#swap-go")
        waiting.get_by_text("排队：").first.wait_for()
        with pytest.raises(QueueError):
            client.predict(handle_file(HELLO), handle_file(GOODBYE), api_name="/swap")
        page = visit(address)
        take_examples(page)
        page.click("#swap-go")
        says(page, "The queue is full: 1 requests are waiting")
        context.jobs.stop(client.session_hash)
