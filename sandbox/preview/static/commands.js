// A slash command being filled in: a field for each option, with the bot's own suggestions where it makes any.
import { h, toast } from "./dom.js";
import { Refused, act } from "./door.js";
import { interact } from "./interactions.js";
import * as picker from "./picker.js";
import { choices } from "./components.js";
import { where } from "./state.js";

const STRING = 3, INTEGER = 4, BOOLEAN = 5, USER = 6, CHANNEL = 7, ROLE = 8, MENTIONABLE = 9, NUMBER = 10, FILE = 11;
const SELECTS = { [USER]: 5, [ROLE]: 6, [MENTIONABLE]: 7, [CHANNEL]: 8 };

export function commandForm(command, leave) {
  const place = where();
  const fields = new Map();
  const filled = async () => {
    const options = {};
    for (const [name, field] of fields) {
      const value = await field.value();
      if (value !== undefined) options[name] = value;
    }
    return options;
  };
  const row = h("div", { class: "options" });
  const more = h("div", { class: "more" });
  const add = (option) => {
    const made = field(option, (typed) => suggestions(command, option, typed, place, filled));
    fields.set(option.name, made);
    row.append(h("label", { class: "field", title: option.description },
      h("span", {}, option.name + (option.required ? " *" : "")), made.element));
    return made;
  };
  for (const option of command.options) {
    if (option.required) add(option);
    else more.append(h("button", { type: "button", class: "chip", title: option.description, onclick: (event) => {
      event.currentTarget.remove();
      add(option).element.focus();
    } }, "+ " + option.name));
  }
  const run = async (event) => {
    event.preventDefault();
    picker.close();
    const options = await filled();
    const missing = command.options.find((each) => each.required && options[each.name] === undefined);
    if (missing) return toast(`${missing.name} is missing: ${missing.description}`);
    leave();
    await interact("slash", { ...place, name: command.name, options }, "/" + command.name);
  };
  const form = h("form", { class: "command", onsubmit: run },
    h("div", { class: "row" }, h("strong", {}, "/" + command.name), h("span", { class: "small" }, command.description)),
    row, more.children.length ? more : null,
    h("div", { class: "row end" }, h("button", { type: "button", class: "button secondary", onclick: leave }, "Cancel"),
      h("button", { type: "submit", class: "button primary" }, "Run")));
  form.addEventListener("keydown", (event) => {
    if (!picker.key(event) && event.key === "Escape") leave();
  });
  return form;
}

function field(option, suggested) {
  if (option.autocomplete) return typedWith(option, suggested);
  if (option.choices?.length) return listed(option.choices.map((each) => ({ label: each.name, value: each.value })));
  if (option.type === BOOLEAN) return listed([{ label: "True", value: true }, { label: "False", value: false }]);
  if (option.type in SELECTS) return named(option);
  if (option.type === FILE) return file();
  const number = option.type === INTEGER || option.type === NUMBER;
  const input = h("input", { type: number ? "number" : "text", min: option.min_value, max: option.max_value,
    step: option.type === NUMBER ? "any" : undefined, minLength: option.min_length, maxLength: option.max_length,
    required: Boolean(option.required), placeholder: option.description, autocomplete: "off" });
  return { element: input, value: () => (input.value === "" ? undefined : number ? Number(input.value) : input.value) };
}

function listed(list) {
  const element = h("select", {}, h("option", { value: "" }, "–"),
    list.map((each, index) => h("option", { value: String(index) }, each.label)));
  return { element, value: () => (element.value === "" ? undefined : list[Number(element.value)].value) };
}

// A member, a role or a channel: typed by name, chosen from those that there are.
function named(option) {
  const all = () => choices({ type: SELECTS[option.type], channel_types: option.channel_types });
  let chosen;
  const input = h("input", { type: "text", autocomplete: "off", placeholder: option.description });
  const suggest = () => {
    const wanted = input.value.replace(/^[@#]/, "").toLowerCase();
    const found = all().filter((each) => each.label.toLowerCase().includes(wanted));
    picker.offer(found.map((each) => ({ label: each.label, value: each })), (each) => {
      chosen = each.value;
      input.value = each.label;
    });
  };
  input.addEventListener("input", () => { chosen = undefined; suggest(); });
  input.addEventListener("focus", suggest);
  input.addEventListener("blur", () => picker.close());
  const byName = () => all().find((each) => each.label.slice(1).toLowerCase() === input.value.replace(/^[@#]/, "").toLowerCase())?.value;
  // Somebody who is not here is named by id, as in Discord.
  const byId = () => (/^\d{15,20}$/.test(input.value) && option.type === USER ? { user: input.value } : undefined);
  return { element: input, value: () => chosen ?? byName() ?? byId() };
}

function typedWith(option, suggested) {
  let chosen;
  let asked = 0;
  const input = h("input", { type: "text", autocomplete: "off", placeholder: option.description, required: Boolean(option.required) });
  const suggest = async () => {
    const mine = ++asked;
    const found = await suggested(input.value);
    if (mine !== asked || document.activeElement !== input) return;
    picker.offer(found.map((each) => ({ label: each.name, value: each })), (each) => {
      chosen = each.value;
      input.value = each.name;
    });
  };
  input.addEventListener("input", () => { chosen = undefined; suggest(); });
  input.addEventListener("focus", suggest);
  input.addEventListener("blur", () => { asked++; picker.close(); });
  const typed = () => (input.value === "" ? undefined : option.type === STRING ? input.value : Number(input.value));
  return { element: input, value: () => chosen ?? typed() };
}

function file() {
  const element = h("input", { type: "file" });
  const read = async (chosen) => ({ name: chosen.name, text: await chosen.text() });
  return { element, value: () => (element.files.length ? read(element.files[0]) : undefined) };
}

async function suggestions(command, option, typed, place, filled) {
  const { [option.name]: _own, ...options } = await filled();
  try {
    const answer = await act("autocomplete", { ...place, name: command.name, option: option.name, value: typed, options });
    return answer.choices ?? [];
  } catch (error) {
    // A half-filled command has nothing to suggest; what it lacks is told when it is run.
    if (error instanceof Refused) return [];
    throw error;
  }
}
