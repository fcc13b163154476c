/* A recorder takes any file: the server reads more than browsers call audio, such as the sound of a
   video, and says what is wrong with the rest. Gradio would refuse it by the browser's word. */
{
  const inRecorder = element => element.closest(".audio-container");
  const asSounds = files => {
    const sounds = new DataTransfer();
    for (const file of files) sounds.items.add(
      file.type.startsWith("audio/") ? file : new File([file], file.name, { type: "audio/any" }));
    return sounds;
  };
  addEventListener("change", ({ target }) => {
    if (target.type === "file" && inRecorder(target)) target.files = asSounds(target.files).files;
  }, true);
  addEventListener("drop", event => {
    if (event.dataTransfer && inRecorder(event.target))
      Object.defineProperty(event, "dataTransfer", { value: asSounds(event.dataTransfer.files) });
  }, true);
  const offerAll = () => document.querySelectorAll(".audio-container input[accept]").forEach(
    field => field.removeAttribute("accept"));
  new MutationObserver(offerAll).observe(document, { childList: true, subtree: true });
}
