// Guilds, channels, people to act as, members.
import { avatar, hue } from "./messages.js";
import { byId, css, h, redraw } from "./dom.js";
import { memberMenu } from "./menus.js";
import { channels, guild, members, readable, state } from "./state.js";

const SIGNS = { text: "#", announcement: "📣", voice: "🔊", stage: "🎙", forum: "🗂", dm: "@" };
const sign = (channel) => (channel.type.endsWith("_thread") ? "🧵" : SIGNS[channel.type] ?? "#");

const go = (detail) => dispatchEvent(new CustomEvent("go", { detail }));

export function drawGuilds() {
  const waiting = Boolean(state.guild !== null && unreadDirect());
  const told = waiting ? "Direct messages – Guildhall wrote" : "Direct messages";
  const all = (state.seen.guilds ?? []).map(({ id, name }) => ({ id, name }));
  redraw(byId("guilds"), [all, waiting, state.guild], () => [
    h("button", { type: "button", title: told, "aria-label": told,
      class: ["guild", state.guild === null && "here", waiting && "waiting"].filter(Boolean).join(" "),
      onclick: () => go({ guild: null, channel: null }) }, "@"),
    ...all.map((each) => h("button", { type: "button", class: each.id === state.guild ? "guild here" : "guild",
      title: each.name, "aria-label": each.name, fill: hue(each.id),
      onclick: () => go({ guild: each.id, channel: null }) },
      each.name.split(/\s+/).map((word) => [...word][0]).join("").slice(0, 3)))]);
}

const unreadDirect = () => state.seen.direct_message_id && state.read.get("@" + state.user) !== state.seen.direct_message_id;

export function drawChannels() {
  byId("guild-name").textContent = guild()?.name ?? "Direct messages";
  const shown = channels().filter(listed).map((each) => [each.id, each.name, each.type, each.parent_id, each.position, unread(each)]);
  redraw(byId("channels"), [state.guild, state.channel, shown], channelList);
}

function channelList() {
  if (state.guild === null) return [h("button", { type: "button", class: "channel here" }, "@ Guildhall")];
  const under = (id) => channels().filter((each) => each.parent_id === id && each.type !== "category" && listed(each))
    .sort(order);
  const group = (list) => list.flatMap((each) => [channelButton(each), ...under(each.id).map((one) => channelButton(one, true))]);
  const categories = channels().filter((each) => each.type === "category").sort(order);
  return [...group(under(null)),
    ...categories.flatMap((each) => [h("div", { class: "category" }, each.name), ...group(under(each.id))])];
}

const VOICE = new Set(["voice", "stage"]);
const order = (a, b) => VOICE.has(a.type) - VOICE.has(b.type) || a.position - b.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1);
const listed = (each) => !each.archived || each.id === state.channel;

const unread = (each) => Boolean(
  each.last_message_id && each.id !== state.channel && state.read.get(each.id) !== each.last_message_id);

function channelButton(each, nested = false) {
  const name = ["channel", nested && "nested", each.id === state.channel && "here", unread(each) && "unread"].filter(Boolean);
  if (!readable(each)) return h("div", { class: name.join(" ") }, sign(each) + " " + each.name);
  return h("button", { type: "button", class: name.join(" "), onclick: () => go({ guild: state.guild, channel: each.id }) },
    sign(each) + " " + each.name);
}

// Those of the guild first; who is only elsewhere stands under the guild's name.
export function drawPeople() {
  const { people, guild_names: names } = state.seen;
  const select = byId("people");
  const option = (person, id) => h("option", { value: person.id },
    person.guilds[id] ? `${person.name} (${person.guilds[id]})` : person.name);
  redraw(select, [people, names, state.guild], () => {
    const first = state.guild in names ? state.guild : null;
    const order = [first, ...Object.keys(names).filter((id) => id !== first)].filter(Boolean);
    const home = (person) => order.find((id) => id in person.guilds);
    return order.map((id) => h("optgroup", { label: names[id] },
      people.filter((person) => home(person) === id).map((person) => option(person, id))));
  });
  select.value = state.user;
}

export function drawMembers() {
  const list = [...members()].sort((a, b) => a.bot - b.bot || a.display_name.localeCompare(b.display_name));
  redraw(byId("members"), [list, state.user], () => [
    h("div", { class: "category" }, `Members – ${list.length}`),
    ...list.map((each) => h("button", { type: "button", class: each.id === state.user ? "member here" : "member",
      title: each.rank, onclick: (event) => memberMenu(event, each), oncontextmenu: (event) => memberMenu(event, each) },
      avatar(each), h("span", { color: css(each.color) }, each.display_name), each.bot && h("span", { class: "tag" }, "APP"),
      each.timed_out_until && new Date(each.timed_out_until) > new Date() ? h("span", { title: "timed out" }, "⏳") : null))]);
}
