"""The page's theme, style sheet and logo; nothing is fetched from elsewhere."""

from pathlib import Path

import gradio as gr

FONTS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
MONO = ("ui-monospace", "Consolas", "Menlo", "monospace")
COLOURS = {  # light and dark
    "body_background_fill": ("#f7f6f3", "#131516"),
    "body_text_color": ("#1f2328", "#e7e5e0"),
    "body_text_color_subdued": ("#5f6368", "#a3a19b"),
    "background_fill_primary": ("#ffffff", "#1b1e20"),
    "background_fill_secondary": ("#f7f6f3", "#16191a"),
    "border_color_primary": ("#e3e0da", "#30353a"),
    "block_background_fill": ("#ffffff", "#1b1e20"),
    "block_border_color": ("#e3e0da", "#30353a"),
    "block_label_background_fill": ("transparent", "transparent"),
    "block_label_text_color": ("*body_text_color_subdued", "#a3a19b"),
    "block_title_text_color": ("*body_text_color", "*body_text_color"),
    "input_background_fill": ("#ffffff", "#16191a"),
    "input_border_color": ("#d6d3cd", "#3a4046"),
    "input_border_color_focus": ("#0f766e", "#2dd4bf"),
    "button_primary_background_fill": ("#0f766e", "#0f766e"),
    "button_primary_background_fill_hover": ("#115e59", "#115e59"),
    "button_primary_text_color": ("#ffffff", "#ffffff"),
    "button_secondary_background_fill": ("#ffffff", "#23282b"),
    "button_secondary_background_fill_hover": ("#f0eee9", "#2c3236"),
    "button_secondary_border_color": ("#d6d3cd", "#3a4046"),
    "button_cancel_background_fill": ("#b42318", "#b42318"),
    "button_cancel_background_fill_hover": ("#912018", "#912018"),
    "button_cancel_text_color": ("#ffffff", "#ffffff"),
    "slider_color": ("#0f766e", "#2dd4bf"),
    "loader_color": ("#0f766e", "#2dd4bf"),
    "link_text_color": ("#0f766e", "#5eead4"),
}


class PageTheme(gr.themes.Base):
    """Light: paper and ink, teal for what can be pressed. Dark: the same reversed."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=gr.themes.colors.teal,
            secondary_hue=gr.themes.colors.amber,
            neutral_hue=gr.themes.colors.stone,
            radius_size=gr.themes.sizes.radius_lg,
            font=FONTS,
            font_mono=MONO,
        )
        self.name = "quiet"
        self.set(
            block_label_border_width="0px",
            block_title_text_weight="500",
            block_shadow="none",
            input_border_width="1px",
            button_primary_border_color="transparent",
            button_large_padding="12px 20px",
            button_border_width="1px",
            color_accent="#0f766e",
            **{f"{name}_dark": dark for name, (_, dark) in COLOURS.items()},
            **{name: light for name, (light, _) in COLOURS.items()},
        )


FOLDER = Path(__file__).parent
CSS = "\n".join(
    (FOLDER / name).read_text(encoding="utf-8")
    for name in ("style.css", "gradio.css", "sounds.css", "live.css")
)
LOGO = (FOLDER / "logo.svg").read_text(encoding="utf-8")
