// A modal, with labels or, as older ones have, with text inputs in rows:
// https://discord.com/developers/docs/components/reference#label
import { byId, h } from "./dom.js";
import { choices } from "./components.js";
import { interact } from "./interactions.js";
import { markdown } from "./text.js";

export function openModal(answer, body) {
  const dialog = byId("modal");
  const fields = [];
  const parts = (answer.modal.components ?? []).flatMap((each) => part(each, fields));
  const close = () => dialog.close();
  const submit = async (event) => {
    event.preventDefault();
    const values = {};
    close();
    for (const field of fields) {
      const value = await field.value();
      if (value !== undefined) values[field.id] = value;
    }
    await interact("modal", { user: body.user, channel: body.channel, interaction: answer.interaction, values },
      answer.modal.title);
  };
  dialog.replaceChildren(
    h("form", { onsubmit: submit }, h("h2", {}, answer.modal.title), parts,
      h("div", { class: "row end" },
        h("button", { type: "button", class: "button secondary", onclick: close }, "Cancel"),
        h("button", { type: "submit", class: "button primary" }, "Submit"))));
  dialog.showModal();
}

function part(each, fields) {
  switch (each.type) {
    case 1: return each.components.flatMap((inner) => part(inner, fields));
    case 10: return [h("div", {}, markdown(each.content))];
    case 18: return [h("label", { class: "field" }, h("span", {}, each.label),
      each.description && h("small", {}, each.description), control(each.component, fields))];
    default: return [h("label", { class: "field" }, h("span", {}, each.label ?? ""), control(each, fields))];
  }
}

function control(each, fields) {
  if (each.type === 4) {
    const input = h(each.style === 2 ? "textarea" : "input", {
      required: each.required !== false, placeholder: each.placeholder, maxLength: each.max_length,
      minLength: each.min_length, rows: each.style === 2 ? 4 : undefined, name: each.custom_id,
    });
    input.value = each.value ?? "";
    fields.push({ id: each.custom_id, value: () => input.value });
    return input;
  }
  if (each.type === 23) {
    const box = h("input", { type: "checkbox", name: each.custom_id, checked: Boolean(each.default) });
    fields.push({ id: each.custom_id, value: () => box.checked });
    return box;
  }
  if (each.type === 19) {
    const chosen = h("input", { type: "file", name: each.custom_id, multiple: (each.max_values ?? 1) > 1,
      required: each.required !== false });
    const read = () => Promise.all([...chosen.files].map(async (file) => ({ name: file.name, text: await file.text() })));
    fields.push({ id: each.custom_id, value: () => (chosen.files.length ? read() : undefined) });
    return chosen;
  }
  const offered = choices(each.type === 21 || each.type === 22 ? { ...each, type: 3 } : each);
  const several = each.type === 22 || (each.max_values ?? 1) > 1;
  const list = h("select", { multiple: several, name: each.custom_id, required: each.required !== false },
    !several && h("option", { value: "" }, each.placeholder ?? "Choose"),
    offered.map((one, index) => h("option", { value: String(index), selected: Boolean(one.selected) }, one.label)));
  fields.push({ id: each.custom_id, value: () => {
    const picked = [...list.selectedOptions].filter((one) => one.value !== "")
      .map((one) => offered[Number(one.value)].value);
    if (!picked.length) return undefined;
    return each.type === 21 ? picked[0] : picked;
  } });
  return list;
}
