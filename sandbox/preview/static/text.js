// Discord's markdown as elements: https://support.discord.com/hc/en-us/articles/210298617
import { css, h } from "./dom.js";
import { channels, member, roles } from "./state.js";

const INLINE = new RegExp(
  [
    /\\(?<escaped>[^\w\s])/,
    /`` ?(?<code2>[^]+?) ?``|`(?<code>[^`]+)`/,
    /\|\|(?<spoiler>[^]+?)\|\|/,
    /\*\*\*(?<both>[^]+?)\*\*\*/,
    /\*\*(?<bold>[^]+?)\*\*(?!\*)/,
    /__(?<under>[^]+?)__(?!_)/,
    /~~(?<strike>[^]+?)~~/,
    /\*(?<star>[^\s*](?:[^*]*[^\s*])?)\*/,
    /\b_(?<italic>[^_]+)_\b/,
    /<@!?(?<user>\d+)>/,
    /<@&(?<role>\d+)>/,
    /<#(?<channel>\d+)>/,
    /<\/(?<command>[^:>]+):\d+>/,
    /<t:(?<time>-?\d+)(?::(?<style>[tTdDfFRsS]))?>/,
    /<a?:(?<emoji>\w+):\d+>/,
    /\[(?<label>[^\]]+)\]\(<?(?<target>https?:\/\/[^\s)>]+)>?(?: "[^"]*")?\)/,
    /<(?<quiet>https?:\/\/[^\s>]+)>/,
    /(?<url>https?:\/\/[^\s<>]+[^\s<>.,:;!?"')\]])/,
    /(?<everyone>@(?:everyone|here))\b/,
  ].map((part) => part.source).join("|"),
  "gu",
);

const STYLES = { both: "em", bold: "strong", under: "u", strike: "s", star: "em", italic: "em" };

// Links to messages stay in this page; they would lead into the real Discord, where none of this is.
const JUMP = /^https:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/(?:\d+|@me)\/(\d+)(?:\/(\d+))?$/;

export function link(url, ...label) {
  const jump = JUMP.exec(url);
  if (jump) {
    const go = (event) => {
      event.preventDefault();
      dispatchEvent(new CustomEvent("jump", { detail: { channel: jump[1], message: jump[2] } }));
    };
    return h("a", { href: "#", class: "jump", onclick: go }, label.length ? label : "→ message");
  }
  if (!/^https?:\/\//i.test(url)) return h("span", {}, label.length ? label : url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label.length ? label : url);
}

export function inline(text, depth = 0) {
  const nodes = [];
  let last = 0;
  if (depth > 8) return [text];
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(last, match.index), piece(match, depth));
    last = match.index + match[0].length;
  }
  nodes.push(text.slice(last));
  return nodes.filter((node) => node !== "");
}

function piece(match, depth) {
  const found = match.groups;
  for (const [name, tag] of Object.entries(STYLES))
    if (found[name] !== undefined) {
      const inner = inline(found[name], depth + 1);
      return name === "both" ? h("strong", {}, h("em", {}, inner)) : h(tag, {}, inner);
    }
  if (found.escaped !== undefined) return found.escaped;
  if (found.code ?? found.code2) return h("code", {}, found.code ?? found.code2);
  if (found.spoiler !== undefined) return spoiler(inline(found.spoiler, depth + 1));
  if (found.user) {
    const known = member(found.user);
    return h("span", { class: "mention", "data-user": found.user }, "@" + (known?.display_name ?? found.user));
  }
  if (found.role) {
    const role = roles().find((each) => each.id === found.role);
    return h("span", { class: "mention", color: css(role?.color) }, "@" + (role?.name ?? "unknown-role"));
  }
  if (found.channel) return channelMention(found.channel);
  if (found.command) return h("span", { class: "mention" }, "/" + found.command);
  if (found.time) return moment(Number(found.time), found.style ?? "f");
  if (found.emoji) return `:${found.emoji}:`;
  if (found.label) return link(found.target, inline(found.label, depth + 1));
  if (found.quiet || found.url) return link(found.quiet ?? found.url);
  return h("span", { class: "mention" }, found.everyone);
}

function spoiler(nodes) {
  return h("span", { class: "spoiler", onclick: (event) => event.currentTarget.classList.add("open") }, nodes);
}

function channelMention(id) {
  const known = channels().find((each) => each.id === id);
  const go = () => dispatchEvent(new CustomEvent("jump", { detail: { channel: id } }));
  return known
    ? h("button", { class: "mention", type: "button", onclick: go }, "#" + known.name)
    : h("span", { class: "mention" }, "#unknown");
}

const STEPS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds) {
  const away = seconds - Date.now() / 1000;
  const [unit, size] = STEPS.find(([, length]) => Math.abs(away) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(away / size), unit);
}

const DATES = {
  t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
};

function moment(seconds, style) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `<t:${seconds}>`;
  const full = new Intl.DateTimeFormat(undefined, DATES[style] ?? DATES.f).format(date);
  return h("time", { class: "stamp", title: full }, style === "R" ? relative(seconds) : full);
}

const LINES = [
  [/^(#{1,3}) +(.+)/, (match) => h("h" + (match[1].length + 2), {}, inline(match[2]))],
  [/^-# +(.+)/, (match) => h("small", { class: "block" }, inline(match[1]))],
  [/^(\s*)[-*] +(.+)/, (match) => h("div", { class: match[1] ? "item deeper" : "item" }, inline(match[2]))],
  [/^(\d+)\. +(.+)/, (match) => h("div", { class: "numbered" }, match[1] + ". ", inline(match[2]))],
];

// The whole of a message's or an embed's text.
export function markdown(text) {
  const nodes = [];
  const parts = (text ?? "").split(/```(?:[\w+-]*\n)?([^]*?)```/);
  parts.forEach((part, index) => {
    if (index % 2) nodes.push(h("pre", {}, h("code", {}, part.replace(/\n$/, ""))));
    else if (part) nodes.push(...blocks(index ? part.replace(/^\n/, "") : part));
  });
  return nodes;
}

function blocks(text) {
  const nodes = [];
  let plain = [];
  let quoted = [];
  const flush = () => {
    if (plain.length) nodes.push(h("div", { class: "plain" }, inline(plain.join("\n"))));
    if (quoted.length) nodes.push(h("blockquote", {}, inline(quoted.join("\n"))));
    plain = [];
    quoted = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^> ?(.*)/.exec(line);
    if (quote) {
      if (plain.length) flush();
      quoted.push(quote[1]);
      continue;
    }
    if (quoted.length) flush();
    const [pattern, made] = LINES.find(([each]) => each.test(line)) ?? [];
    if (!pattern) plain.push(line);
    else {
      flush();
      nodes.push(made(pattern.exec(line)));
    }
  }
  flush();
  return nodes;
}
