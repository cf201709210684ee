// A slider moves the number beside it, and the number moves the slider. Without this script no slider is shown.
for (const slider of document.querySelectorAll("input[type=range]")) {
  const number = document.getElementById(slider.dataset.moves);
  slider.hidden = false;
  slider.addEventListener("input", () => { number.value = slider.value; });
  number.addEventListener("input", () => { if (number.value !== "") slider.value = number.value; });
}
