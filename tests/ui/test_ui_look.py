"""Languages, colours, a phone and screen readers."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from browser import (
    has_recording,
    open_tab,
    result,
    samples_of,
    says,
    shoot,
    shoot_for_docs,
    take_examples,
)
from safetensors.numpy import save_file

pytest.importorskip("gradio", reason="the ui extra is not installed")

import gradio as gr

from voiceswap import cli
from voiceswap.audio_io.channels import ChannelMix
from voiceswap.conversion.voice_library import VoiceLibrary
from voiceswap.errors import VoiceswapError
from voiceswap.examples import ZAIJIAN
from voiceswap.notes import notes_to
from voiceswap.ui import about_tab
from voiceswap.ui.answers import visible_sentence
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.errors_in_chinese import SENTENCES
from voiceswap.ui.page import serving
from voiceswap.ui.texts import LANGUAGES, TABLE, Texts


def test_every_text_is_there_in_both_languages():
    for name, texts in TABLE.items():
        assert len(texts) == len(LANGUAGES) and all(text.strip() for text in texts), name
        assert len({frozenset(re.findall(r"{(\w+)", text)) for text in texts}) == 1, name
    source = "\n".join(
        path.read_text()
        for path in (Path(cli.__file__).parent / "ui").glob("*.py")
        if not path.name.startswith("texts")
    )
    assert [name for name in re.findall(r'text\["(\w+)"\]', source) if name not in TABLE] == []


def test_the_library_s_errors_are_said_in_chinese(swapper, tmp_path):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("zh"))
    context.library.add("Anna", swapper.sample(1))
    silent, words, voice = (tmp_path / name for name in ("s.wav", "w.wav", "v.safetensors"))
    soundfile.write(silent, np.zeros(16000), 16000)
    words.write_text("no sound at all")
    save_file({"code": np.zeros(3)}, voice)
    for fails, sentence in (
        (lambda: swapper.embed(silent), "是静音。"),
        (lambda: swapper.embed(words), "无法作为音频读取"),
        (lambda: swapper.embed(tmp_path / "none.wav"), "已不存在"),
        (lambda: swapper.load_voice(voice), "不是已保存的声音"),
        (lambda: context.library.path("Ben"), "没有名为“Ben”的声音。"),
        (lambda: context.library.add("Anna", swapper.sample(1)), "已有名为“Anna”的声音"),
        (lambda: context.library.add(" ", swapper.sample(1)), "请先填写声音的名字。"),
    ):
        with pytest.raises(VoiceswapError) as error:
            fails()
        assert sentence in visible_sentence(context, error.value)
    learned = "There is no recording to learn from. a b.wav is silent. c.wav is clipped."
    for english, chinese in (
        (learned, "没有可用于训练的录音，请上传更多语音。a b.wav 是静音。c.wav 有削波失真。"),
        (
            "a.wav ends after 2.6 of the 3.8 s it should have.",
            "a.wav 在 3.8 秒中的第 2.6 秒处中断。",
        ),
    ):
        assert visible_sentence(context, english) == chinese
    notes = []
    with notes_to(notes.append):
        samples = np.random.default_rng(0).normal(size=16000)
        for count in (2, 3):
            mix = ChannelMix(count, 16000)
            mix.add(np.stack([samples, -0.9 * samples, 0.9 * samples][:count], 1))
            mix.kept("a.wav")
        mix = ChannelMix(2, 16000)
        mix.add(np.stack([samples, 0 * samples], 1))
        mix.kept("a.wav")
    assert len(notes) == 3 and all(
        visible_sentence(context, one).startswith("a.wav：") for one in notes
    )
    for english, chinese in SENTENCES:
        assert set(re.findall(r"{(\w+)}", chinese)) <= set(re.findall(r"\?P<(\w+)>", english))


def test_language_and_theme_are_remembered(visit, address):
    page = visit(address, color_scheme="light")
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("html[lang=zh-CN] #swap-go")
    page.click("#swap-go")
    assert says(page, "缺少说话人甲").startswith("操作失败")
    page.get_by_role("button", name="浅色或深色").click()
    page.goto(address)
    page.wait_for_selector("html[lang=zh-CN] #swap-go")
    page.wait_for_selector("body.dark")
    open_tab(page, "声音库")
    page.get_by_role("link", name="English").click()
    page.get_by_role("tab", name="Voices", exact=True, selected=True).wait_for()
    page.reload()
    page.get_by_role("tab", name="Voices", exact=True, selected=True).wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_the_login_page_has_a_name_and_keeps_the_visitor_s(chromium, swapper, tmp_path):
    context = AppContext(swapper, VoiceLibrary(tmp_path, swapper), Texts("en"))
    with serving(context, auth=("me", "secret")) as (_, address):
        page = chromium.new_page()
        page.goto(address)
        page.get_by_role("heading", name="voiceswap").wait_for()
        assert page.title() == "voiceswap: log in"
        name, password = page.locator("input[type=text]"), page.locator("input[type=password]")
        name.fill("me")
        for wrong in range(4):
            password.fill(f"wrong {wrong}")
            page.get_by_role("button", name="Login").click()
            if wrong < 3:
                page.wait_for_function(
                    "['text', 'password'].map(type => document.querySelector("
                    "`input[type=${type}]`).value).join() === 'me,'"
                )
        page.get_by_text("Too many wrong passwords: wait").wait_for()
        page.context.close()


def test_dark_and_light(visit, address, screenshots):
    for scheme in ("light", "dark"):
        page = visit(address, color_scheme=scheme)
        background = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
        for tab in ("Swap", "Convert", "Live", "Voices", "Batch", "About"):
            open_tab(page, tab)
            shoot(page, screenshots / f"{scheme}-{tab.lower()}.png")
        assert (max(page.evaluate(background)) < 60) == (scheme == "dark")
        page.get_by_role("button", name="Light or dark").click()
        page.wait_for_function(f"Math.max(...{background}) {'>' if scheme == 'dark' else '<'} 60")


def test_a_phone_in_chinese(visit, swapper, context, screenshots):
    chinese = AppContext(swapper, context.library, Texts("zh"))
    with serving(chinese) as (_, address):
        page = visit(address, width=375, is_mobile=True, has_touch=True)
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        for name, place in (("男声", "swap-a"), ("女声", "swap-b")):
            page.get_by_role("button", name=name).tap()
            has_recording(page, place)
        page.tap("#swap-go")
        assert len(samples_of(result(page, "swap-ba"))) == soundfile.info(ZAIJIAN).frames
        link = page.locator("#visit-results a[download]").first
        assert link.get_attribute("download") == "你好-再见的声音.wav"
        page.set_viewport_size({"width": 1180, "height": 900})
        shoot_for_docs(page, screenshots / "page.zh-CN.png")
        page.set_viewport_size({"width": 375, "height": 900})
        for tab, name in (
            ("互换", "swap"),
            ("转换", "convert"),
            ("对话", "dialogue"),
            ("实时", "live"),
            ("声音库", "voices"),
            ("批量", "batch"),
            ("关于", "about"),
        ):
            open_tab(page, tab, touch=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, tab
            shoot(page, screenshots / f"phone-{name}.png", full_page=True)
        page.get_by_role("heading", name="已知弱点").wait_for()  # of the model card
        resets = page.locator(".reset-button").all()
        assert resets and {one.get_attribute("title") for one in resets} == {"恢复默认值"}


def test_a_phone_shows_all_tabs_and_large_buttons(visit, address):
    page = visit(address, width=375, is_mobile=True, has_touch=True)
    assert page.get_by_role("tab").count() == 7
    assert not page.get_by_role("button", name="More tabs").is_visible()
    for name in ("Upload a file", "Record"):
        button = page.locator("#swap-a").get_by_role("button", name=name)
        assert button.bounding_box()["height"] >= 44 and button.bounding_box()["width"] > 200
    take_examples(page)
    page.tap("#swap-go")
    page.wait_for_selector("#visit-results li")
    page.wait_for_function(
        "document.querySelector('#swap-results').getBoundingClientRect().top < innerHeight / 2"
    )


@pytest.mark.skipif("VOICESWAP_AXE" not in os.environ, reason="VOICESWAP_AXE is no axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "zh"])
def test_axe_finds_nothing_serious(visit, address, context, swapper, scheme, path):
    context.library.add("Drawn", swapper.sample(5))
    page = visit(address, color_scheme=scheme)
    page.goto(f"{address}{path}")
    page.wait_for_selector("#swap-go")
    page.add_style_tag(content="* { transition: none !important; }")  # colours as they will be
    page.add_script_tag(path=os.environ["VOICESWAP_AXE"])
    for name in page.get_by_role("tab").all_inner_texts()[:6]:
        open_tab(page, name)
        for row in page.locator(".vs-listed:visible").all():
            row.click()
            page.wait_for_selector("#voices-listen:enabled")
        for fold in page.locator("button.label-wrap:visible").all():
            fold.click()
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == [], name


def test_another_model_shows_the_card_in_its_file(context, swapper, monkeypatch):
    for card, shown in (
        (swapper.card, "Known weaknesses"),
        ({"figures": {"DV": "0.5 <"}}, "0.5 &lt;"),
    ):
        monkeypatch.setattr(swapper, "card", card)
        with gr.Blocks() as page:
            about_tab.build(context)
        assert any(
            shown in str(block.value) for block in page.blocks.values() if hasattr(block, "value")
        )


def test_everything_has_a_name_for_screen_readers(visit, address):
    page = visit(address)
    for tab in ("Swap", "Convert", "Live", "Voices", "Batch", "About"):
        open_tab(page, tab)
        nameless = page.evaluate("""() => {
            const all = document.querySelectorAll("button, input, textarea, [role=meter]");
            const named = e => e.innerText?.trim() || e.ariaLabel || e.title || e.labels?.length;
            return [...all]
                .filter(e => e.checkVisibility() && !(named(e) || e.type === "file"))
                .map(e => e.outerHTML.slice(0, 200));
        }""")
        assert nameless == [], tab
        assert page.locator("h1:visible").count() == 1 and page.locator("h2:visible").count() == 1
