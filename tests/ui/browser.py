"""Actions of a visitor in the browser, which wait as long as a slow machine needs."""

import io
import shutil
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PATIENCE = 60.0  # seconds to wait for anything: a slow machine is no failure


def ready(element):
    """Wait until an element is there and no longer changes.

    Gradio makes the fields of a tab or an accordion when it is first opened, and some frames later
    sets them to their initial values. This counts the browser's frames, not seconds: a slow browser
    needs longer.
    """
    element.wait_for(state="attached")
    element.evaluate("""async () => {
        for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame);
    }""")
    return element


def open_tab(page, name, touch=False):
    """Open a tab, and wait for its content."""
    tab = page.get_by_role("tab", name=name, exact=True)
    tab.tap() if touch else tab.click()
    page.get_by_role("tab", name=name, exact=True, selected=True).wait_for()
    ready(
        page.locator("[role=tabpanel]:visible")
        .last.locator("button:visible, input:visible, dl:visible")
        .first
    )


def type_in(box, text):
    """Type into a field of the page, leave it, and wait until it has the text."""
    ready(box).fill(text)
    box.press("Tab")
    assert ready(box).input_value() == text


def field(page, element):
    """The field of a text box, a number or a slider."""
    return page.locator(f"#{element}").locator("input:not([type=range]), textarea")


def choose(page, menu, name):
    """Choose in a menu, for one choice or several."""
    box = page.locator(f"#{menu}")
    ready(box.locator("input")).click()
    box.get_by_role("option", name=name, exact=True).click()
    page.keyboard.press("Escape")
    chosen = """([box, name]) => box.querySelector("input").value === name
        || [...box.querySelectorAll(".token")].some(token => token.innerText.trim() === name)"""
    page.wait_for_function(chosen, arg=[box.element_handle(), name])


def upload(page, element, paths):
    """Upload a file to a recorder, or files to a file field, and wait until it has them."""
    ready(page.locator(f"#{element} input[type=file]")).set_input_files(paths)
    page.wait_for_selector(
        f"#{element} :is(button[aria-label='Clear'], .file-preview)", state="attached"
    )


def take_examples(page, *names):
    """Choose the examples of speakers A and B on the English page."""
    for name in names or ("A man says hello", "A woman says goodbye"):
        page.get_by_role("button", name=name).click()
        has_recording(page, "swap-a" if "man says hello" in name else "swap-b")


def has_recording(page, element):
    page.wait_for_selector(
        f"#{element} :is(button[aria-label='Clear'], button[aria-label='清除'])", state="attached"
    )


def result(page, element):
    """The bytes of a job's result, downloaded by its button once the job has ended."""
    name = element.partition("-")[0]
    page.wait_for_selector(f"#{name}-results .vs-player")
    page.wait_for_selector(f"#{name}-go")
    with page.expect_download() as download:
        page.click(f"#{element}")
    return Path(download.value.path()).read_bytes()


def played(page, element):
    """The bytes of a player's recording, downloaded."""
    link = page.wait_for_selector(f"#{element} a[download][href]", state="attached")
    return page.context.request.get(link.get_attribute("href"), timeout=PATIENCE * 1000).body()


def samples_of(body):
    """The samples of a recording's bytes."""
    return soundfile.read(io.BytesIO(body), dtype="float32")[0]


def says(page, sentence):
    """Wait for a message with a sentence in it, and close it. Returns all of it."""
    message = page.locator(".toast-body").filter(has_text=sentence)
    text = message.inner_text()
    message.locator(".toast-close").click()
    message.wait_for(state="detached")
    return text


def swap_two(page, swapper, recordings):
    """Swap two recordings on the page. The results are those of the library."""
    for element, path in zip(("swap-a", "swap-b"), recordings, strict=True):
        upload(page, element, path)
    page.click("#swap-go")
    expected = swapper.swap(*recordings)
    for element, samples in zip(("swap-ab", "swap-ba"), expected, strict=True):
        assert_same(samples_of(result(page, element)), samples)


def shoot(page, path=None, picture=None, **options):
    """A screenshot, once the picture in an element is drawn."""
    if picture:
        for fold in page.locator(f"#{picture} button.label-wrap").all():
            fold.click()
        page.wait_for_selector(f"#{picture} .vs-picture img")
        page.wait_for_function("[...document.images].every(image => image.complete)")
    ready(page.locator("body"))
    return page.screenshot(path=path, **options)


def shoot_for_docs(page, path):
    """A screenshot of a swap and its results, in few colours: the documents have it."""
    shot = Image.open(io.BytesIO(shoot(page, None, "swap-results", full_page=True))).convert("RGB")
    shot.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size < 200_000


def assert_same(samples, expected):
    """Equal as in a file: 16 bits, and scaled down where they would clip."""
    expected = expected / max(1.0, float(np.abs(expected).max()) / 0.999)
    np.testing.assert_allclose(samples, expected, atol=1e-3)
