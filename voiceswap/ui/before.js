/* Runs before Gradio, on the page and on its login; `page` has the texts and the language. */
{
  const chosen = localStorage.getItem("voiceswap-language");
  if (page.other && chosen === page.other) location.replace(`./${page.other}${location.search}`);
  Object.defineProperty(navigator, "language", { get: () => page.tag });
  document.documentElement.lang = page.tag;
  if (!navigator.mediaDevices) document.documentElement.style.setProperty("--vs-no-microphone", "block");
  document.documentElement.style.setProperty("--vs-upload", `"${page.upload}"`);

  /* Gradio asks the system alone for light or dark. */
  const theme = localStorage.getItem("voiceswap-theme");
  const matchAsEver = window.matchMedia.bind(window);
  if (theme) window.matchMedia = query => query.includes("prefers-color-scheme: dark")
    ? { matches: theme === "dark", addEventListener() {}, removeEventListener() {} }
    : matchAsEver(query);

  const fetchAsEver = window.fetch;
  window.fetch = async (what, options = {}) => {
    const asked = new Headers(options.headers ?? what.headers);
    asked.set("Accept-Language", page.tag); // of refusals
    const answer = await fetchAsEver(what, { ...options, headers: asked });
    if (answer.url.endsWith("/login")) loginFailed(answer, options.body);
    if (answer.status !== 503 || !answer.url.includes("/queue/join")) return answer;
    const headers = { "Content-Type": "application/json" }; // a full queue is a sentence
    return new Response(page.busy, { status: 429, headers });
  };

  /* The login page has no title of its own, forgets the name after a wrong password, and says
     nothing about a password that came too soon. */
  document.addEventListener("DOMContentLoaded", () => {
    if (window.gradio_config && window.gradio_config.auth_required) document.title = page.title;
  });
  const loginFailed = async (answer, sent) => {
    const place = document.querySelector(".vs-login p");
    place.textContent = answer.status === 429
      ? page.wait.replace("{seconds}", (await answer.clone().text()).match(/\d+/)[0]) : "";
    if (answer.status === 400) setTimeout(() => {
      const name = document.querySelector("input[type=text]");
      name.value = sent.get("username");
      name.dispatchEvent(new Event("input"));
      document.querySelector("input[type=password]").focus();
    }, 100);
  };
}
