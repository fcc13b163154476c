/* Names that say what is seen: Gradio names some parts otherwise, in English only, or by a key. */
{
  const write = (words, changed) => { if (words.data !== changed) words.data = changed; };
  const mend = () => {
    const all = query => document.querySelectorAll(query);
    for (const place of all(".upload-container[aria-label]"))
      if (place.innerText.trim()) place.removeAttribute("aria-label");
    for (const speed of all(".playback[aria-label]"))
      if (!speed.ariaLabel.startsWith(speed.innerText))
        speed.ariaLabel = `${speed.innerText}: ${speed.ariaLabel}`;
    for (const icon of all(".source-selection .feather-mic"))
      icon.closest("button").ariaLabel = page.record;
    for (const raw of all("[aria-label='common.upload']")) raw.ariaLabel = raw.title = page.upload;
    for (const { firstChild: title } of all(".toast-title"))
      write(title, page.messages[title.data.trim()] || title.data);
    for (const { firstChild: status } of all(".progress-text"))
      write(status, status.data.replace(/^(processing|queue: )/, word => page.status[word]));
    for (const slider of all("[aria-label*=' for ']:is([type=range], [type=number])"))
      slider.ariaLabel = slider.ariaLabel.replace(/^(range slider|number input) for /, "");
    for (const reset of all(".reset-button")) reset.ariaLabel = reset.title = page.reset;
    for (const empty of all(".empty[aria-label]:not([role])")) empty.removeAttribute("aria-label");
  };
  new MutationObserver(mend).observe(document, { childList: true, subtree: true, characterData: true });
}
