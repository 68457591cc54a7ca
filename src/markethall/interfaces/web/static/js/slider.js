import { enhance } from "./enhance.js";

enhance("[data-before-after]", (slider) => {
  const input = slider.querySelector("input[type=range]");
  const update = () => {
    slider.style.setProperty("--position", `${input.value}%`);
    input.setAttribute("aria-valuetext", `${input.value}% before, ${100 - input.value}% after`);
  };
  input.addEventListener("input", update);
  update();
});
