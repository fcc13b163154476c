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
            body_background_fill="#f7f6f3",
            body_background_fill_dark="#131516",
            body_text_color="#1f2328",
            body_text_color_dark="#e7e5e0",
            body_text_color_subdued="#5f6368",
            body_text_color_subdued_dark="#a3a19b",
            background_fill_primary="#ffffff",
            background_fill_primary_dark="#1b1e20",
            background_fill_secondary="#f7f6f3",
            background_fill_secondary_dark="#16191a",
            border_color_primary="#e3e0da",
            border_color_primary_dark="#30353a",
            block_background_fill="#ffffff",
            block_background_fill_dark="#1b1e20",
            block_border_color="#e3e0da",
            block_border_color_dark="#30353a",
            block_label_background_fill="transparent",
            block_label_background_fill_dark="transparent",
            block_label_border_width="0px",
            block_label_text_color="*body_text_color_subdued",
            block_label_text_color_dark="#a3a19b",
            block_title_text_color="*body_text_color",
            block_title_text_color_dark="*body_text_color",
            block_title_text_weight="500",
            block_shadow="none",
            input_border_width="1px",
            input_background_fill="#ffffff",
            input_background_fill_dark="#16191a",
            input_border_color="#d6d3cd",
            input_border_color_dark="#3a4046",
            input_border_color_focus="#0f766e",
            input_border_color_focus_dark="#2dd4bf",
            button_primary_background_fill="#0f766e",
            button_primary_background_fill_hover="#115e59",
            button_primary_background_fill_dark="#0f766e",
            button_primary_background_fill_hover_dark="#115e59",
            button_primary_text_color="#ffffff",
            button_primary_text_color_dark="#ffffff",
            button_primary_border_color="transparent",
            button_secondary_background_fill="#ffffff",
            button_secondary_background_fill_hover="#f0eee9",
            button_secondary_background_fill_dark="#23282b",
            button_secondary_background_fill_hover_dark="#2c3236",
            button_secondary_border_color="#d6d3cd",
            button_secondary_border_color_dark="#3a4046",
            button_cancel_background_fill="#b42318",
            button_cancel_background_fill_hover="#912018",
            button_cancel_background_fill_dark="#b42318",
            button_cancel_background_fill_hover_dark="#912018",
            button_cancel_text_color="#ffffff",
            button_cancel_text_color_dark="#ffffff",
            button_large_padding="12px 20px",
            button_border_width="1px",
            slider_color="#0f766e",
            slider_color_dark="#2dd4bf",
            color_accent="#0f766e",
            loader_color="#0f766e",
            loader_color_dark="#2dd4bf",
            link_text_color="#0f766e",
            link_text_color_dark="#5eead4",
        )


FOLDER = Path(__file__).parent
CSS = "\n".join(
    (FOLDER / name).read_text(encoding="utf-8")
    for name in ("style.css", "gradio.css", "sounds.css", "live.css")
)
LOGO = (FOLDER / "logo.svg").read_text(encoding="utf-8")
