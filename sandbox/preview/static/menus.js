// Menus on messages and on members, with the bot's own entries under Apps.
import { byId, h, hide, show, toast } from "./dom.js";
import { act } from "./door.js";
import { interact } from "./interactions.js";
import { react } from "./messages.js";
import { guild, state, where } from "./state.js";

const REACTIONS = ["👍", "❤️", "😂", "🎉", "👀", "✅"];

const tell = (event, detail) => dispatchEvent(new CustomEvent(event, { detail }));

async function appEntries(kind) {
  if (!state.seen.channel) return [];
  try {
    return (await act("commands", where()))[kind];
  } catch {
    return [];
  }
}

async function open(event, ...entries) {
  event.preventDefault();
  event.stopPropagation();
  const menu = byId("menu");
  const [x, y] = event.clientX ? [event.clientX, event.clientY] : corner(event.currentTarget);
  const shown = await Promise.all(entries);
  show(menu, shown);
  menu.style.left = Math.max(4, Math.min(x, innerWidth - menu.offsetWidth - 8)) + "px";
  menu.style.top = Math.max(4, Math.min(y, innerHeight - menu.offsetHeight - 8)) + "px";
  menu.querySelector("button")?.focus();
}

function corner(element) {
  const box = element.getBoundingClientRect();
  return [box.left, box.bottom];
}

addEventListener("click", () => hide(byId("menu")));
addEventListener("keydown", (event) => event.key === "Escape" && hide(byId("menu")));

function entry(label, run, name = "") {
  return h("button", { type: "button", role: "menuitem", class: name, onclick: run }, label);
}

async function tried(action, body) {
  try {
    await act(action, body);
  } catch (error) {
    toast(error.message);
  }
}

async function apps(kind, target) {
  const names = await appEntries(kind);
  const run = (name) => interact("context_menu", { ...where(), name, ...target }, name);
  return names.length ? [h("div", { class: "heading" }, "Apps"), names.map((name) => entry(name, () => run(name)))] : null;
}

export function messageMenu(event, message) {
  const own = message.author.id === state.user;
  const target = { ...where(), message: message.id };
  return open(event,
    h("div", { class: "emoji" }, REACTIONS.map((each) => entry(each, () => react(message, each, false)))),
    entry("Reply", () => tell("reply", message)),
    own && entry("Edit", () => tell("rewrite", message)),
    entry("Copy message ID", () => navigator.clipboard?.writeText(message.id)),
    entry("Delete", () => tried("delete", target), "danger"),
    guild() && apps("message", { target_message: message.id }));
}

export function memberMenu(event, member) {
  return open(event,
    h("div", { class: "heading" }, `@${member.name}${member.rank ? " · " + member.rank : ""}`),
    member.bot || member.id === state.user ? null : entry("Act as this person", () => tell("become", member.id)),
    entry("Mention", () => tell("insert", `@${member.name} `)),
    entry("Copy user ID", () => navigator.clipboard?.writeText(member.id)),
    guild() && apps("user", { target_user: member.id }));
}
