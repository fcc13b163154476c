"""Refusals in the language of the page that asked."""

import httpx
import pytest

pytest.importorskip("gradio", reason="the ui extra is not installed")

from browser import ready, says

from voiceswap.batch.run_state import DiskFullError
from voiceswap.conversion.options import ConversionOptions
from voiceswap.errors import VoiceswapError
from voiceswap.ui.errors_in_chinese import in_language
from voiceswap.ui.limits import Limits


def in_chinese(visit, address):
    """The Chinese page, in a browser that is German."""
    page = visit(address, locale="de-DE")
    page.goto(f"{address}zh")
    page.wait_for_selector("#swap-go")
    return page


def test_a_visitor_with_too_many_calls_reads_so(visit, address, monkeypatch):
    monkeypatch.setattr(Limits, "may_join", lambda *_: False)
    page = visit(address)
    page.click("#swap-go")
    says(page, "You have as many requests waiting as one visitor may")
    page = in_chinese(visit, address)
    page.click("#swap-go")
    says(page, "你等待中的请求已达上限")


def test_a_visitor_who_uploads_too_much_reads_so(visit, address, monkeypatch, speech):
    monkeypatch.setattr(Limits, "has_room", lambda *_: False)
    page = in_chinese(visit, address)
    ready(page.locator("#swap-a input[type=file]")).set_input_files(speech[0])
    says(page, "上传过多")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("zh-CN", "录音须先上传到本页"),
        ("en", "A recording has to be uploaded"),
        (None, "A recording"),
    ],
)
def test_a_refusal_is_in_the_language_that_is_asked_for(address, asked, sentence):
    call = {"data": [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]}
    headers = {"Accept-Language": asked} if asked else {}
    answer = httpx.post(f"{address}gradio_api/call/swap", json=call, headers=headers)
    assert answer.status_code == 403 and answer.json()["detail"].startswith(sentence)


def refused(*arguments, **options):
    """What options are refused with."""
    with pytest.raises(VoiceswapError) as error:
        ConversionOptions(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (Limits("", 1, 10**9, 2 * 10**9, (1, 1)).full, "每小时最多 1 GB，全部访客共 2 GB"),
        ("Too many wrong passwords: wait 8 s.", "请等待 8 秒。"),
        ("The rate of the samples is 8001 Hz, but has to be a multiple of 25 from 8000 to 96000.",
         "采样率为 8001 Hz，但必须是 8000 到 96000 之间 25 的倍数。"),
        (refused(pitch_shift=99), "pitch_shift 为 99，但必须是 -24 到 24 之间的数。"),
        (refused(seed=-1), "seed 为 -1，但必须是 0 到 2**63 - 1 之间的数。"),
        ("Value 1 of /listen_draw (随机种子) has to be a number from 0 to 9.",
         "“随机种子”必须是 0 到 9 之间的数。"),
        (str(DiskFullError()), "服务器磁盘已满，请稍后再试。"),
        ("a.wav can't be written: no space left on the disk; make room, or write elsewhere.",
         "服务器磁盘已满，无法写入 a.wav"),
        ("a.wav is less than 0.01 s long; at least 0.3 s is needed.", "a.wav 不到 0.01 秒"),
        ("This live session is over; start another one.", "这次实时变声已结束"),
        ("a.wav: 63% of its voice would be above 1100 Hz, where pitch ends, so its melody is "
         "flattened; shift the pitch less.", "63% 的语音会超出音高范围（1100 Hz）"),
        ("a.wav: moved by +12 semitones it would be outside 60 to 1100 Hz, the range of pitch, so "
         "it is in another octave.", "a.wav：移动 +12 个半音会超出音高范围（60 到 1100 Hz）"),
        ("a.wav: it is 2 octaves lower than its source, where the target's voice can sing it; "
         "shift the pitch by +12 semitones for another octave.",
         "a.wav：为了适合目标声音的音域，旋律移了八度；把音高移动 +12 个半音可换一个八度。"),
    ],
)  # fmt: skip
def test_refusals_and_errors_of_the_server_are_chinese_too(english, chinese):
    assert chinese in in_language("zh", english) and in_language("en", english) == english
