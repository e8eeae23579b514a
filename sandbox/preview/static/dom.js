// Elements from data. Text goes in as text nodes alone, so that nothing a person wrote becomes markup.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "color") element.style.color = value;
    else if (name === "edge") element.style.borderLeftColor = value;
    else if (name === "fill") element.style.backgroundColor = value;
    else if (name in element && name !== "list" && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const drawnFrom = new WeakMap();

// Draws an element's children anew only where what they are made from is another, so that the focus stays where it is.
export function redraw(element, from, make) {
  const key = JSON.stringify(from);
  if (drawnFrom.get(element) === key) return;
  drawnFrom.set(element, key);
  element.replaceChildren(...make());
}

export const byId = (id) => document.getElementById(id);

export function show(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  element.hidden = false;
}

export function hide(element) {
  element.replaceChildren();
  element.hidden = true;
}

export const css = (color) => (color ? "#" + color.toString(16).padStart(6, "0") : undefined);

let fading;
export function toast(text) {
  show(byId("toast"), text);
  clearTimeout(fading);
  fading = setTimeout(() => hide(byId("toast")), 9000);
}
