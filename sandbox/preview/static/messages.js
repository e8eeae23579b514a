// Messages as Discord shows them: author, text, embeds, attachments, reactions, components, threads.
import { components } from "./components.js";
import { byId, css, h, toast } from "./dom.js";
import { act } from "./door.js";
import { memberMenu, messageMenu } from "./menus.js";
import { guild, member, state, where } from "./state.js";
import { link, markdown } from "./text.js";

const EPHEMERAL = 1 << 6;
const THINKING = 1 << 7;
const COMPONENTS_V2 = 1 << 15;
const TOGETHER_MS = 7 * 60 * 1000;
const SAID = { 6: "pinned a message to this channel.", 7: "joined the guild.", 18: "started a thread." };

let drawn = new Map(); // message id to [what it was drawn from, element]

export function draw(messages) {
  const list = byId("messages");
  const stays = atEnd;
  const shown = messages.filter((each) => !state.dismissed.has(each.id));
  const next = new Map();
  shown.forEach((each, index) => {
    const before = shown[index - 1];
    const key = JSON.stringify([each, goesOn(each, before), state.user, member(each.author.id), threadOf(each)]);
    const old = drawn.get(each.id);
    next.set(each.id, old && old[0] === key ? old : [key, message(each, goesOn(each, before))]);
  });
  drawn = next;
  const elements = [...next.values()].map(([, element]) => element);
  if (!elements.length) elements.push(h("li", { class: "empty" }, state.seen.channel || state.guild === null
    ? "Nothing here yet. Write something, or type / for commands." : "This channel is not to be seen from here."));
  // Only what changed is touched: an open select, or a text that is being marked, stays.
  const live = [...list.children];
  if (live.length !== elements.length || live.some((each, index) => each !== elements[index])) {
    list.replaceChildren(...elements);
  }
  if (stays) toEnd();
}

// Who reads the end goes on reading the end, also when the list grows or the composer takes some of its room.
let atEnd = true;
export const toEnd = () => { byId("messages").scrollTop = byId("messages").scrollHeight; };

byId("messages").addEventListener("scroll", () => {
  const list = byId("messages");
  atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
});
new ResizeObserver(() => { if (atEnd) toEnd(); }).observe(byId("messages"));

export function forgetDrawn() {
  drawn = new Map();
  atEnd = true;
  byId("messages").replaceChildren();
}

function goesOn(each, before) {
  return Boolean(before && before.author.id === each.author.id && before.author.username === each.author.username
    && !each.referenced_message && !each.interaction_metadata && !(each.flags & EPHEMERAL)
    && !(before.flags & EPHEMERAL) && !(each.type in SAID)
    && new Date(each.timestamp) - new Date(before.timestamp) < TOGETHER_MS);
}

function message(each, follows) {
  const ephemeral = Boolean(each.flags & EPHEMERAL);
  const pinged = !ephemeral && (each.mention_everyone || each.mentions.some((one) => one.id === state.user));
  const element = h("li", {
    class: ["message", follows && "follows", ephemeral && "ephemeral", pinged && "pinged"].filter(Boolean).join(" "),
    "data-id": each.id, oncontextmenu: (event) => messageMenu(event, each),
  },
    above(each),
    follows ? null : avatar(each.author),
    h("div", { class: "body" },
      follows ? null : headline(each),
      content(each),
      each.embeds.map(embed), each.attachments.map(attachment), each.poll && poll(each.poll),
      components(each.components, each),
      each.reactions?.length ? h("div", { class: "reactions" }, each.reactions.map((one) => reaction(one, each))) : null,
      thread(each),
      ephemeral ? h("div", { class: "only-you" }, "👁 Only you can see this · ",
        h("button", { type: "button", class: "as-link", onclick: () => dismiss(each.id) }, "Dismiss message")) : null),
    h("div", { class: "tools" },
      ephemeral ? null : h("button", { type: "button", title: "React", onclick: () => react(each, "👍", false) }, "👍"),
      h("button", { type: "button", title: "More", "aria-label": "More", onclick: (event) => messageMenu(event, each) }, "⋯")));
  return element;
}

function dismiss(id) {
  state.dismissed.add(id);
  draw(state.seen.messages);
}

function above(each) {
  if (each.referenced_message) {
    const said = each.referenced_message;
    return h("div", { class: "above" }, "↱ ", h("b", {}, nameOf(said.author)), " ",
      said.content.slice(0, 120) || "(no text)");
  }
  if (each.message_reference && each.type === 19) return h("div", { class: "above" }, "↱ Original message was deleted");
  const asked = each.interaction_metadata;
  if (!asked?.user) return null;
  return h("div", { class: "above" }, "↱ ", h("b", {}, nameOf(asked.user)), asked.name ? ` used /${asked.name}` : " asked");
}

function nameOf(author) {
  return member(author.id)?.display_name ?? author.global_name ?? author.username;
}

const HUES = ["#5865f2", "#757e8a", "#3ba55c", "#faa61a", "#ed4245", "#eb459e"];
export const hue = (id) => HUES[[...id].reduce((sum, digit) => sum + Number(digit), 0) % HUES.length];

export function avatar(user) {
  return h("div", { class: "avatar", fill: hue(user.id), "aria-hidden": "true" },
    [...(user.global_name ?? user.display_name ?? user.username ?? user.name ?? "?")][0].toUpperCase());
}

function headline(each) {
  const known = each.webhook_id && each.webhook_id === each.author.id ? null : member(each.author.id);
  const tag = each.webhook_id && !each.interaction_metadata ? "APP" : each.author.bot ? "APP" : "";
  return h("div", { class: "headline" },
    h("button", { type: "button", class: "author", color: css(known?.color), oncontextmenu: (event) => known && memberMenu(event, known),
      onclick: (event) => known && memberMenu(event, known) }, known ? known.display_name : each.author.global_name ?? each.author.username),
    tag && h("span", { class: "tag" }, tag),
    h("time", { datetime: each.timestamp, title: new Date(each.timestamp).toLocaleString() }, when(each.timestamp)));
}

function when(timestamp) {
  const date = new Date(timestamp);
  const today = date.toDateString() === new Date().toDateString();
  return today ? date.toLocaleTimeString([], { timeStyle: "short" })
    : date.toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}

function content(each) {
  if (each.flags & THINKING) return h("div", { class: "thinking" }, "Guildhall is thinking …");
  if (each.type in SAID) return h("div", { class: "said" }, SAID[each.type]);
  if (each.flags & COMPONENTS_V2) return null;
  return h("div", { class: "content" }, markdown(each.content), each.edited_timestamp && h("small", {}, " (edited)"));
}

// Pictures come from the simulated CDN alone; any other address is shown as text.
function picture(url, alt, name) {
  const path = cdnPath(url);
  return path ? h("img", { src: path, alt, class: name, loading: "lazy" }) : h("div", {}, link(url));
}

function cdnPath(url) {
  try {
    const parsed = new URL(url);
    return parsed.port === location.port && parsed.pathname.startsWith("/cdn/") ? parsed.pathname : null;
  } catch {
    return null;
  }
}

function embed(each) {
  return h("div", { class: "embed", edge: css(each.color) },
    each.author && h("div", { class: "small" }, each.author.name),
    each.title && h("div", { class: "title" }, each.url ? link(each.url, each.title) : markdown(each.title)),
    each.description && h("div", {}, markdown(each.description)),
    each.fields?.length ? h("div", { class: "fields" }, each.fields.map((field) =>
      h("div", { class: field.inline ? "inline" : "whole" }, h("b", {}, markdown(field.name)), markdown(field.value)))) : null,
    each.image && picture(each.image.url, "", "image"),
    each.thumbnail && picture(each.thumbnail.url, "", "thumbnail"),
    (each.footer || each.timestamp) && h("div", { class: "small" },
      [each.footer?.text, each.timestamp && when(each.timestamp)].filter(Boolean).join(" · ")));
}

function attachment(each) {
  const path = cdnPath(each.url);
  const isPicture = /\.(png|jpe?g|gif|webp)$/i.test(each.filename);
  if (isPicture && path) return picture(each.url, each.description ?? each.filename, "image");
  return h("div", { class: "file" }, "📄 ", path ? h("a", { href: path, download: each.filename }, each.filename) : each.filename,
    h("small", {}, ` ${each.size} bytes`));
}

function poll(each) {
  const counts = new Map((each.results?.answer_counts ?? []).map((one) => [one.id, one.count]));
  return h("div", { class: "embed" }, h("div", { class: "title" }, each.question.text),
    each.answers.map((one) => h("div", {}, "▫ ", one.poll_media.text, h("small", {}, ` ${counts.get(one.answer_id) ?? 0}`))));
}

const emojiOf = (emoji) => (emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);

export async function react(each, emoji, remove) {
  try {
    await act("react", { ...where(), message: each.id, emoji, remove });
  } catch (error) {
    toast(error.message);
  }
}

function reaction(one, each) {
  return h("button", { type: "button", class: one.me ? "reaction mine" : "reaction",
    onclick: () => react(each, emojiOf(one.emoji), one.me) },
    one.emoji.id ? `:${one.emoji.name}:` : one.emoji.name, ` ${one.count}`);
}

const threadOf = (each) => guild()?.channels.find((one) => one.id === each.id && one.type.endsWith("_thread")) ?? null;

function thread(each) {
  const found = threadOf(each);
  const go = () => dispatchEvent(new CustomEvent("jump", { detail: { channel: found.id } }));
  return found && h("button", { type: "button", class: "thread", onclick: go }, "🧵 ", found.name, " →");
}
