"""The tab for many recordings at once, in a real browser."""

import zipfile

import numpy as np
import soundfile
from browser import choose, shoot, upload


def test_a_batch_gives_a_zip_and_a_report_of_every_file(
    visit, address, context, swapper, speech, screenshots, tmp_path
):
    words, inverted = tmp_path / "words.wav", tmp_path / "inverted.wav"
    words.write_text("no sound at all")
    samples, rate = soundfile.read(speech[0])
    soundfile.write(inverted, np.stack([samples, -0.9 * samples], 1), rate)
    context.library.add("Draw", swapper.sample(5))
    page = visit(address, "Batch")
    upload(page, "batch-sources", [speech[0], words, speech[1], inverted])
    upload(page, "batch-recordings", [speech[2], speech[3]])
    choose(page, "batch-voices", "Draw")
    page.click("#batch-go")
    link = page.wait_for_selector("#batch-result a[download][href]")
    (tmp_path / "all.zip").write_bytes(page.context.request.get(link.get_attribute("href")).body())
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        names = {
            f"{voice}/speaker {number}.flac" for voice in ("speaker 2", "Draw") for number in (0, 1)
        }
        names |= {f"{voice}/inverted.wav" for voice in ("speaker 2", "Draw")}
        assert set(archive.namelist()) == names | {"report.csv"}
        report = archive.read("report.csv").decode()
        archive.extractall(tmp_path / "all")
    assert (
        report.count(",converted,") == 6
        and report.count("words.wav can't be read as audio") == 2
        and report.count('"inverted.wav: one channel is inverted or late') == 2
        and "/tmp" not in report
    )
    rate = soundfile.info(speech[0]).samplerate  # a batch keeps it
    expected = swapper.convert(speech[0], [speech[2], speech[3]], rate=rate)
    np.testing.assert_allclose(
        soundfile.read(tmp_path / "all/speaker 2/speaker 0.flac")[0], expected, atol=1e-3
    )
    page.locator("#batch-report").get_by_text("words.wav can't be read as audio").filter(
        visible=True
    ).first.wait_for()
    shoot(page, screenshots / "batch.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 900})
    cell = page.locator("#batch-report .wrap").get_by_text("inverted.wav").first
    style = (
        "e => [getComputedStyle(e, '::after').content, parseFloat(getComputedStyle(e).fontSize)]"
    )
    content, size = cell.evaluate(style)
    assert content == "none" and size > 10 and cell.bounding_box()["width"] > 60
