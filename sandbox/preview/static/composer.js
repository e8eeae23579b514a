// Where one writes: text, or "/" and a command.
import { commandForm } from "./commands.js";
import { byId, h, hide, show, toast } from "./dom.js";
import { act } from "./door.js";
import { toEnd } from "./messages.js";
import * as picker from "./picker.js";
import { channels, me, members, roles, state, where } from "./state.js";

let replyTo = null;
let rewritten = null;
let files = [];
let inCommand = false;

const input = h("textarea", { id: "text", rows: 1, maxLength: 2000, "aria-label": "Message" });
const attached = h("span", { class: "attached" });
const chooser = h("input", { type: "file", multiple: true, hidden: true, onchange: attach });
const box = h("form", { onsubmit: (event) => { event.preventDefault(); submit(); } },
  h("button", { type: "button", class: "plus", title: "Attach text files", "aria-label": "Attach text files",
    onclick: () => chooser.click() }, "+"),
  chooser, attached, input, h("button", { type: "submit", class: "button primary" }, "Send"));

input.addEventListener("input", suggest);
input.addEventListener("keydown", (event) => {
  if (picker.key(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  } else if (event.key === "Escape") forget();
});
input.addEventListener("blur", () => picker.close());

export function setComposer() {
  inCommand = false;
  forget();
  byId("composer").replaceChildren(box);
}

export function drawComposer() {
  if (!byId("composer").children.length) setComposer();
  const name = state.guild === null ? "@Guildhall" : "#" + (state.seen.channel?.name ?? "");
  const may = state.seen.may_send;
  const placeholder = may ? `Message ${name} as ${me()?.name ?? ""} – or / for commands`
    : `${me()?.name ?? ""} may not write in ${name}; / for commands`;
  if (input.placeholder !== placeholder) input.placeholder = placeholder;
}

function forget() {
  replyTo = rewritten = null;
  files = [];
  attached.replaceChildren();
  hide(byId("reply"));
  picker.close();
}

function note(text) {
  show(byId("reply"), text, " ", h("button", { type: "button", class: "as-link", onclick: forget }, "✕"));
  input.focus();
}

// A command that is being filled in gives way.
function write() {
  if (inCommand) setComposer();
  else forget();
}

addEventListener("reply", ({ detail }) => {
  write();
  replyTo = detail.id;
  note(`Replying to ${detail.author.username}`);
});
addEventListener("rewrite", ({ detail }) => {
  write();
  rewritten = detail.id;
  input.value = detail.content;
  note("Editing your message");
});
addEventListener("insert", ({ detail }) => {
  if (inCommand) setComposer();
  input.value += detail;
  input.focus();
});

async function attach() {
  for (const file of chooser.files) files.push({ name: file.name, text: await file.text() });
  chooser.value = "";
  attached.replaceChildren(files.map((file) => file.name).join(", "));
}

async function suggest() {
  const text = input.value;
  if (text.startsWith("/") && !text.includes("\n")) return suggestCommands();
  const word = /(?:^|\s)@([\w.]*)$/.exec(text.slice(0, input.selectionStart));
  if (!word) return picker.close();
  const found = members().filter((each) => each.name.startsWith(word[1].toLowerCase())
    || each.display_name.toLowerCase().startsWith(word[1].toLowerCase()));
  return picker.offer(found.map((each) => ({ label: "@" + each.display_name, hint: each.name, value: each })), (each) => {
    const end = input.selectionStart;
    input.setRangeText(`@${each.name} `, end - word[1].length - 1, end, "end");
  });
}

async function offered() {
  if (state.seen.channel) return (await act("commands", where())).slash;
  throw new Error("Write a message first: a conversation begins with one.");
}

function matching(commands, text) {
  const wanted = text.slice(1).trim().toLowerCase();
  const rank = (each) => (each.name === wanted ? 0 : each.name.startsWith(wanted) ? 1 : 2);
  return commands.filter((each) => each.name.includes(wanted)).sort((a, b) => rank(a) - rank(b));
}

async function suggestCommands() {
  try {
    const commands = await offered();
    if (!input.value.startsWith("/")) return;
    const found = matching(commands, input.value);
    picker.offer(found.map((each) => ({ label: "/" + each.name, hint: each.description, value: each })), enter);
  } catch (error) {
    toast(error.message);
  }
}

function enter(command) {
  input.value = "";
  forget();
  inCommand = true;
  const leave = () => {
    if (inCommand) setComposer();
    input.focus();
  };
  const form = commandForm(command, leave);
  byId("composer").replaceChildren(form);
  (form.querySelector("input, select") ?? form.querySelector("button[type=submit]")).focus();
}

// As Discord's own client does: names that stand for somebody are sent as mentions.
function withMentions(text) {
  const escape = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const stand = (sign, list, made) => {
    for (const each of [...list].sort((a, b) => b.name.length - a.name.length)) {
      text = text.replace(new RegExp(`(?<![\\w<])${sign}${escape(each.name)}(?![\\w])`, "gi"), () => made(each));
    }
  };
  stand("@", members(), (each) => `<@${each.id}>`);
  stand("@", roles().filter((each) => !each.name.startsWith("@")), (each) => `<@&${each.id}>`);
  stand("#", channels().filter((each) => each.type !== "category"), (each) => `<#${each.id}>`);
  return text;
}

async function submit() {
  const text = input.value.trim();
  if (text.startsWith("/")) return submitCommand(text);
  if (!text && !files.length) return;
  const content = withMentions(text);
  const sent = { user: state.user, content, attachments: files, ...(replyTo && { reply_to: replyTo }) };
  const channel = where().channel;
  try {
    if (rewritten) await act("edit", { ...where(), message: rewritten, content });
    else await act("send", channel ? { ...sent, channel } : sent);
    // What could not be sent stays written.
    input.value = "";
    forget();
    toEnd();
  } catch (error) {
    toast(error.message);
  }
}

async function submitCommand(text) {
  try {
    const [found] = matching(await offered(), text);
    if (found) enter(found);
    else toast(`There is no command ${text} here for ${me()?.name}.`);
  } catch (error) {
    toast(error.message);
  }
}
