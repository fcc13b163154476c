/* One player of several sounds: what plays changes at the same position and loudness.
   The template is drawn anew with every value, so all listeners are on the element itself. */
const player = () => element.querySelector(".vs-player");
const sounds = () => [...element.querySelectorAll("audio")];
const chosen = () => sounds()[Number(player().dataset.chosen)];
const clock = seconds =>
  `${Math.floor((seconds || 0) / 60)}:${String(Math.floor((seconds || 0) % 60)).padStart(2, "0")}`;

function draw() {
  const sound = chosen();
  const seek = element.querySelector(".vs-seek");
  const length = Number.isFinite(sound.duration) ? sound.duration : 0;
  seek.max = length || 1;
  seek.value = sound.currentTime;
  const time = `${clock(sound.currentTime)} / ${clock(length)}`;
  seek.setAttribute("aria-valuetext", time);
  element.querySelector(".vs-time").textContent = time;
  const play = element.querySelector(".vs-play");
  play.classList.toggle("vs-playing", !sound.paused);
  play.setAttribute("aria-label", sound.paused ? play.dataset.play : play.dataset.pause);
}

function loudness() {
  const volume = Number(element.querySelector(".vs-volume").value);
  for (const sound of sounds()) sound.volume = volume * Number(sound.dataset.gain);
}

function choose(number) {
  const before = chosen();
  const playing = !before.paused;
  before.pause();
  player().dataset.chosen = number;
  const sound = chosen();
  sound.currentTime = Math.min(before.currentTime, sound.duration || before.currentTime);
  loudness();
  if (playing) sound.play();
  element.querySelectorAll(".vs-sound").forEach((button, other) =>
    button.setAttribute("aria-pressed", other === number));
  draw();
}

element.addEventListener("click", event => {
  const choice = event.target.closest(".vs-sound");
  if (choice) choose([...element.querySelectorAll(".vs-sound")].indexOf(choice));
  if (!event.target.closest(".vs-play")) return;
  loudness();
  if (!chosen().paused) return chosen().pause();
  document.querySelectorAll("audio").forEach(sound => sound.pause());
  chosen().play();
});
element.addEventListener("input", event => {
  if (event.target.matches(".vs-seek")) chosen().currentTime = Number(event.target.value);
  if (event.target.matches(".vs-volume")) loudness();
});
/* Events of media don't bubble. */
for (const event of ["timeupdate", "loadedmetadata", "play", "pause", "ended"])
  element.addEventListener(event, () => draw(), true);
/* A recording in a format that this browser can't play is no choice. */
element.addEventListener("error", event => {
  const button = element.querySelectorAll(".vs-sound")[sounds().indexOf(event.target)];
  if (button) button.disabled = true;
}, true);
