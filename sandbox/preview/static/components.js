// Buttons and selects under a message: https://discord.com/developers/docs/components/reference
import { h } from "./dom.js";
import { interact } from "./interactions.js";
import { channels, members, roles, where } from "./state.js";
import { link, markdown } from "./text.js";

const BUTTONS = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

export function components(list, message) {
  return (list ?? []).map((each) => component(each, message)).filter(Boolean);
}

function component(each, message) {
  switch (each.type) {
    case 1: return h("div", { class: "row" }, components(each.components, message));
    case 2: return button(each, message);
    case 3: case 5: case 6: case 7: case 8: return select(each, message);
    case 9: return h("div", { class: "section" }, h("div", {}, components(each.components, message)),
      each.accessory && component(each.accessory, message));
    case 10: return h("div", {}, markdown(each.content));
    case 14: return h("hr", {});
    case 17: return h("div", { class: "container" }, components(each.components, message));
    default: return null;
  }
}

function button(each, message) {
  const label = [each.emoji && each.emoji.name + " ", each.label ?? ""].filter(Boolean).join("");
  if (each.style === 5) {
    const element = link(each.url, label + " ↗");
    element.classList.add("button", "link");
    return element;
  }
  const press = (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    interact("click", { ...where(), message: message.id, custom_id: each.custom_id }, label)
      .finally(() => { pressed.disabled = Boolean(each.disabled); });
  };
  return h("button", { type: "button", class: "button " + BUTTONS[each.style], disabled: Boolean(each.disabled),
    onclick: press }, label);
}

// What may be chosen, each with the value that the sandbox takes.
export function choices(each) {
  const people = () => members().map((one) => ({ label: "@" + one.name, value: { user: one.id } }));
  const ranks = () => roles().map((one) => ({ label: "@" + one.name, value: { role: one.id } }));
  const kinds = new Set(each.channel_types ?? []);
  const KINDS = { text: 0, voice: 2, category: 4, announcement: 5, announcement_thread: 10, public_thread: 11,
    private_thread: 12, stage: 13, forum: 15 };
  const rooms = () => channels().filter((one) => !kinds.size || kinds.has(KINDS[one.type]))
    .map((one) => ({ label: "#" + one.name, value: { channel: one.id } }));
  switch (each.type) {
    case 5: return people();
    case 6: return ranks();
    case 7: return [...people(), ...ranks()];
    case 8: return rooms();
    default: return (each.options ?? []).map((one) =>
      ({ label: one.label, hint: one.description, value: one.value, selected: one.default }));
  }
}

function select(each, message) {
  const offered = choices(each);
  const most = Math.min(each.max_values ?? 1, offered.length);
  const send = (picked) => interact("select",
    { ...where(), message: message.id, custom_id: each.custom_id, values: picked.map((index) => offered[index].value) },
    each.placeholder ?? "a choice");
  const options = offered.map((one, index) => h("option", { value: String(index), selected: Boolean(one.selected) },
    one.hint ? `${one.label} – ${one.hint}` : one.label));
  if (most <= 1) {
    const none = h("option", { value: "", disabled: true, selected: !offered.some((one) => one.selected) },
      each.placeholder ?? "Choose");
    return h("select", { class: "select", disabled: Boolean(each.disabled), "aria-label": each.placeholder ?? "Choose",
      onchange: (event) => send([Number(event.target.value)]) }, none, options);
  }
  const list = h("select", { class: "select", multiple: true, size: Math.min(6, offered.length),
    disabled: Boolean(each.disabled), "aria-label": each.placeholder ?? "Choose" }, options);
  const chosen = () => [...list.selectedOptions].map((one) => Number(one.value));
  return h("div", { class: "row" }, list,
    h("button", { type: "button", class: "button secondary", disabled: Boolean(each.disabled),
      onclick: () => send(chosen()) }, "Choose"));
}
