// Guilds, channels, people to act as, members.
import { avatar, hue } from "./messages.js";
import { byId, css, h } from "./dom.js";
import { memberMenu } from "./menus.js";
import { channels, guild, members, readable, state } from "./state.js";

const SIGNS = { text: "#", announcement: "📣", voice: "🔊", stage: "🎙", forum: "🗂", dm: "@" };
const sign = (channel) => (channel.type.endsWith("_thread") ? "🧵" : SIGNS[channel.type] ?? "#");

const go = (detail) => dispatchEvent(new CustomEvent("go", { detail }));

export function drawGuilds() {
  const all = state.seen.guilds ?? [];
  const waiting = state.guild !== null && unreadDirect();
  const told = waiting ? "Direct messages – Guildhall wrote" : "Direct messages";
  byId("guilds").replaceChildren(
    h("button", { type: "button", title: told, "aria-label": told,
      class: ["guild", state.guild === null && "here", waiting && "waiting"].filter(Boolean).join(" "),
      onclick: () => go({ guild: null, channel: null }) }, "@"),
    ...all.map((each) => h("button", { type: "button", class: each.id === state.guild ? "guild here" : "guild",
      title: each.name, "aria-label": each.name, fill: hue(each.id),
      onclick: () => go({ guild: each.id, channel: null }) },
      each.name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 3))));
}

const unreadDirect = () => state.seen.direct_message_id && state.read.get("@" + state.user) !== state.seen.direct_message_id;

export function drawChannels() {
  byId("guild-name").textContent = guild()?.name ?? "Direct messages";
  if (state.guild === null) {
    const here = h("button", { type: "button", class: "channel here" }, "@ Guildhall");
    byId("channels").replaceChildren(here);
    return;
  }
  const under = (id) => channels().filter((each) => each.parent_id === id && each.type !== "category" && listed(each))
    .sort(order);
  const group = (list) => list.flatMap((each) => [channelButton(each), ...under(each.id).map((one) => channelButton(one, true))]);
  const categories = channels().filter((each) => each.type === "category").sort(order);
  byId("channels").replaceChildren(
    ...group(under(null)),
    ...categories.flatMap((each) => [h("div", { class: "category" }, each.name), ...group(under(each.id))]));
}

const VOICE = new Set(["voice", "stage"]);
const order = (a, b) => VOICE.has(a.type) - VOICE.has(b.type) || a.position - b.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1);
const listed = (each) => !each.archived || each.id === state.channel;

function channelButton(each, nested = false) {
  const unread = each.last_message_id && each.id !== state.channel && state.read.get(each.id) !== each.last_message_id;
  const name = ["channel", nested && "nested", each.id === state.channel && "here", unread && "unread"].filter(Boolean);
  if (!readable(each)) return h("div", { class: name.join(" ") }, sign(each) + " " + each.name);
  return h("button", { type: "button", class: name.join(" "), onclick: () => go({ guild: state.guild, channel: each.id }) },
    sign(each) + " " + each.name);
}

export function drawPeople() {
  const select = byId("people");
  const here = (person) => state.guild === null || state.guild in person.guilds;
  const label = (person) => {
    const rank = person.guilds[state.guild] ?? Object.values(person.guilds)[0];
    return rank ? `${person.name} (${rank})` : person.name;
  };
  const options = state.seen.people.filter((person) => here(person) || person.id === state.user)
    .map((person) => h("option", { value: person.id, selected: person.id === state.user }, label(person)));
  select.replaceChildren(...options);
  select.value = state.user;
}

export function drawMembers() {
  const list = [...members()].sort((a, b) => a.bot - b.bot || a.display_name.localeCompare(b.display_name));
  byId("members").replaceChildren(
    h("div", { class: "category" }, `Members – ${list.length}`),
    ...list.map((each) => h("button", { type: "button", class: each.id === state.user ? "member here" : "member",
      title: each.rank, onclick: (event) => memberMenu(event, each), oncontextmenu: (event) => memberMenu(event, each) },
      avatar(each), h("span", { color: css(each.color) }, each.display_name), each.bot && h("span", { class: "tag" }, "APP"),
      each.timed_out_until && new Date(each.timed_out_until) > new Date() ? h("span", { title: "timed out" }, "⏳") : null)));
}
