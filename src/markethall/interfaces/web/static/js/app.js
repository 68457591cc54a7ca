import "./csrf.js";
import "./mode.js";
import "./toast.js";
import "./confirm.js";
import "./once.js";
import "./optimistic.js";
import "./slider.js";
import "./dropzone.js";
import "./panel.js";
import "./menu.js";
import "./keys.js";
import "./shop.js";
import "./tick.js";
import "./live.js";

document.documentElement.dataset.js = "";
