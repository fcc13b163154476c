"""How the page looks: a quiet theme, and the little that Gradio's variables can't say. No font or file comes from elsewhere."""

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
    """Paper and ink, teal for what can be pressed; dark: the same at night."""

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
            button_primary_background_fill_dark="#0d9488",
            button_primary_background_fill_hover_dark="#0f766e",
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


# A is teal and B amber all over the page. Gradio's containers are flattened inside the page's own cards.
CSS = """
:root { --vs-a: #0f766e; --vs-b: #b45309; --vs-a-soft: #99c9c4; --vs-b-soft: #e3b98d; }
.dark { --vs-a: #2dd4bf; --vs-b: #fbbf24; --vs-a-soft: #1d5a54; --vs-b-soft: #70571c; --color-accent: #2dd4bf; }
body { background: var(--body-background-fill) !important; }
.gradio-container { width: 100%; max-width: 1080px !important; margin: 0 auto !important; padding: 0 !important; }
.gradio-container .main.fillable { padding: 0 20px 24px !important; }
.html-container { padding: 0 !important; }
.vs-header { display: flex; align-items: center; gap: 14px; padding: 24px 0 10px; }
.vs-header svg { width: 44px; height: 44px; flex: none; }
.vs-header div { flex: 1; }
.vs-header h1 { font-size: 1.5rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; margin: 0; color: var(--body-text-color); }
.vs-header p { margin: 2px 0 0; color: var(--body-text-color-subdued); }
.vs-light { width: 40px; height: 40px; border-radius: 50%; border: 1px solid var(--border-color-primary); font-size: 1.1rem;
  background: var(--background-fill-primary); color: var(--body-text-color); cursor: pointer; }
.vs-heading h2 { font-size: 1.25rem; font-weight: 650; margin: 8px 0 0; color: var(--body-text-color); }
.vs-heading h3 { font-size: 1.05rem; font-weight: 600; margin: 0; color: var(--body-text-color); }
.vs-heading p { margin: 4px 0 0; color: var(--body-text-color-subdued); max-width: 68ch; line-height: 1.5; }
.vs-note, .vs-note p { color: var(--body-text-color-subdued); font-size: 0.85rem !important; line-height: 1.45; margin: 6px 0 0; }
.vs-card { background: var(--block-background-fill); border: 1px solid var(--border-color-primary); border-radius: 14px;
  padding: 16px !important; gap: 12px; box-shadow: 0 1px 2px rgb(0 0 0 / 4%); }
.vs-card.vs-a { border-top: 3px solid var(--vs-a); }
.vs-card.vs-b { border-top: 3px solid var(--vs-b); }
.vs-card .form { border-width: 0; background: transparent; gap: 12px; }
.vs-card .form > .block { border-width: 0; background: transparent; padding: 0; }
.vs-picture .image-container, .vs-picture .empty { padding-top: 30px; }
.vs-facts { display: grid; grid-template-columns: fit-content(45%) 1fr; gap: 8px 16px; margin: 0; line-height: 1.45; }
.vs-facts dt { color: var(--body-text-color-subdued); }
.vs-facts dd { margin: 0; color: var(--body-text-color); overflow-wrap: anywhere; }
.vs-card > .vs-heading, .vs-card > .block { flex-grow: 0; }
.vs-forbidden { border-left: 3px solid #b42318; }
.vs-end { align-items: flex-end; }
.vs-end > button { white-space: nowrap; min-height: 42px; }
.vs-footer { text-align: center; padding: 20px 0 0; color: var(--body-text-color-subdued); font-size: 0.85rem; }

.vs-meter { display: grid; gap: 14px; color: var(--body-text-color); }
.vs-meter-row { display: grid; grid-template-columns: max-content 1fr 3em; gap: 4px 10px; align-items: center; font-size: 0.9rem; }
.vs-meter-name { grid-column: 1 / -1; font-weight: 550; }
.vs-meter-when, .vs-meter-unknown { color: var(--body-text-color-subdued); }
.vs-meter-unknown { grid-column: 1 / -1; }
.vs-meter-bar { height: 8px; border-radius: 4px; background: var(--border-color-primary); overflow: hidden; display: block; }
.vs-meter-bar span { display: block; height: 100%; border-radius: 4px; }
.vs-meter-number { text-align: right; font-variant-numeric: tabular-nums; }
.vs-meter-row.vs-a .vs-after span { background: var(--vs-a); } .vs-meter-row.vs-a .vs-before span { background: var(--vs-a-soft); }
.vs-meter-row.vs-b .vs-after span { background: var(--vs-b); } .vs-meter-row.vs-b .vs-before span { background: var(--vs-b-soft); }

.vs-map { position: relative; height: 360px; margin: 0; border-radius: 10px; border: 1px solid var(--border-color-primary);
  background: radial-gradient(circle, var(--border-color-primary) 1px, transparent 1.5px) 0 0 / 24px 24px; overflow: hidden; padding: 0; }
.vs-map .vs-note { position: absolute; inset: 0; display: grid; place-items: center; }
.vs-dot { position: absolute; transform: translate(-50%, -15px); border: 0; background: none; padding: 6px; cursor: pointer;
  display: flex; flex-direction: column; align-items: center; gap: 2px; color: var(--body-text-color); font-size: 0.95rem; max-width: 9em; }
.vs-dot i { width: 16px; height: 16px; border-radius: 50%; background: var(--vs-a); border: 2px solid var(--block-background-fill); }
.vs-dot span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 100%; }
.vs-dot[aria-pressed="true"] i { background: var(--vs-b); outline: 2px solid var(--vs-b); }
.vs-dot[aria-pressed="true"] span { font-weight: 650; }
button:focus-visible, [role="tab"]:focus-visible, input:focus-visible, textarea:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 2px solid var(--vs-a) !important; outline-offset: 2px; }
@media (max-width: 640px) {
  .gradio-container .main.fillable { padding: 0 10px 20px !important; }
  .gradio-container .tab-container button { padding: 0 10px; }
  .vs-header { padding-top: 16px; }
  .vs-card { padding: 12px !important; }
  .vs-map { height: 300px; }
}
"""

LOGO = """<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0f766e"/>
<g fill="none" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"><path d="M6 12h17m-5-5 5 5-5 5" stroke="#ccfbf1"/>
<path d="M26 20H9m5-5-5 5 5 5" stroke="#fbbf24"/></g></svg>"""
