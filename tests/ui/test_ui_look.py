"""Languages, colours, a phone and screen readers."""

import re
from pathlib import Path

import pytest
from browser import has_recording, open_tab, result, shoot

pytest.importorskip("gradio", reason="the ui extra is not installed")

from voiceswap import cli
from voiceswap.ui.app_context import AppContext
from voiceswap.ui.page import serving
from voiceswap.ui.texts import LANGUAGES, TABLE, Texts


def test_every_text_is_there_in_both_languages():
    for name, texts in TABLE.items():
        assert len(texts) == len(LANGUAGES) and all(text.strip() for text in texts), name
        assert len({frozenset(re.findall(r"{(\w+)", text)) for text in texts}) == 1, name
    source = "\n".join(
        path.read_text()
        for path in (Path(cli.__file__).parent / "ui").glob("*.py")
        if path.name != "texts.py"
    )
    assert [name for name in re.findall(r'text\["(\w+)"\]', source) if name not in TABLE] == []


def test_dark_and_light(visit, address, screenshots):
    for scheme in ("light", "dark"):
        page = visit(address, color_scheme=scheme)
        background = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
        for tab in ("Swap", "Convert", "Voices", "Batch", "About"):
            open_tab(page, tab)
            shoot(page, screenshots / f"{scheme}-{tab.lower()}.png")
        assert (max(page.evaluate(background)) < 60) == (scheme == "dark")
        page.get_by_role("button", name="Light or dark").click()
        page.wait_for_function(f"Math.max(...{background}) {'>' if scheme == 'dark' else '<'} 60")


def test_a_phone_in_chinese(visit, swapper, context, screenshots, speech):
    chinese = AppContext(swapper, context.library, Texts("zh"))
    with serving(chinese) as (_, address):
        page = visit(address, width=375, is_mobile=True, has_touch=True)
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        for name, place in (("男声", "swap-a"), ("女声", "swap-b")):
            page.get_by_role("button", name=name).tap()
            has_recording(page, place)
        page.tap("#swap-go")
        assert result(page, "swap-ba")[:4] == b"RIFF"
        for tab, name in (
            ("互换", "swap"),
            ("转换", "convert"),
            ("声音库", "voices"),
            ("批量", "batch"),
            ("关于", "about"),
        ):
            open_tab(page, tab, touch=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, tab
            shoot(
                page,
                screenshots / f"phone-{name}.png",
                "swap-results" if name == "swap" else None,
                full_page=True,
            )


def test_everything_has_a_name_for_screen_readers(visit, address):
    page = visit(address)
    for tab in ("Swap", "Convert", "Voices", "Batch", "About"):
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
