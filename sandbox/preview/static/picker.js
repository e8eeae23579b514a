// The list above the composer: commands, members, choices. Arrow keys move, Enter and Tab take.
import { byId, h, hide, show } from "./dom.js";

const MOST = 100;

let entries = [];
let at = 0;
let take = () => {};

export const isOpen = () => !byId("picker").hidden;

// `entries`: [{label, hint, value}]; `taken` gets the value of the one that is chosen.
export function offer(list, taken) {
  entries = list.slice(0, MOST);
  take = taken;
  at = 0;
  if (entries.length) draw();
  else close();
}

export function close() {
  entries = [];
  hide(byId("picker"));
}

function choose(index) {
  const { value } = entries[index];
  close();
  take(value);
}

function draw() {
  show(byId("picker"), entries.map((each, index) => h("button", {
    type: "button", role: "option", class: index === at ? "option here" : "option", tabIndex: -1,
    "aria-selected": String(index === at),
    // Before the input loses the focus, so that it keeps it.
    onmousedown: (event) => { event.preventDefault(); choose(index); },
  }, h("span", {}, each.label), each.hint && h("small", {}, each.hint))));
  byId("picker").children[at]?.scrollIntoView({ block: "nearest" });
}

// Whether the key was for the list.
export function key(event) {
  if (!isOpen()) return false;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    at = (at + step + entries.length) % entries.length;
    draw();
  } else if (event.key === "Enter" || event.key === "Tab") choose(at);
  else if (event.key === "Escape") close();
  else return false;
  event.preventDefault();
  return true;
}
