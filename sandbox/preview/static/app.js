// Looks at the world for one person at a time, live, and draws it.
import { drawComposer, setComposer } from "./composer.js";
import { byId, hide, show, toast } from "./dom.js";
import { Refused, act } from "./door.js";
import { draw, forgetDrawn } from "./messages.js";
import { drawChannels, drawGuilds, drawMembers, drawPeople } from "./sidebar.js";
import { channels, guild, me, readable, state } from "./state.js";

const WAIT_SECONDS = 25;
const FIRST = "ada";
const USUAL = "general";

let looking = new AbortController();

function usual(places) {
  return places.find((each) => each.name === USUAL) ?? places.find(readable) ?? null;
}

// Where one is moves to what there is: a guild that one was banned from, or a channel that went, is left.
function settle() {
  const { seen } = state;
  if (!me()) state.user = (seen.people.find((each) => each.name === FIRST) ?? seen.people[0])?.id ?? null;
  if (!seen.guilds) return false;
  if (state.guild !== null && !guild()) {
    if (state.channel) toast(`${me()?.name ?? "This person"} is not in that guild any more.`);
    state.guild = seen.guilds[0]?.id ?? null;
    state.channel = null;
  }
  if (state.guild !== null && !channels().some((each) => each.id === state.channel && readable(each))) {
    state.channel = usual(channels())?.id ?? null;
    return false;
  }
  return true;
}

function drawAll() {
  const { seen } = state;
  const name = seen.channel?.name ?? channels().find((each) => each.id === state.channel)?.name;
  if (seen.channel?.last_message_id) state.read.set(seen.channel.id, seen.channel.last_message_id);
  const direct = "@" + state.user;
  if (state.guild === null || !state.read.has(direct)) state.read.set(direct, seen.direct_message_id);
  for (const each of channels()) if (!state.read.has(each.id)) state.read.set(each.id, each.last_message_id);
  byId("channel-name").textContent = state.guild === null ? "@ Guildhall" : "# " + (name ?? "");
  byId("topic").textContent = seen.channel?.topic ?? "";
  drawGuilds();
  drawChannels();
  drawPeople();
  drawMembers();
  drawComposer();
  draw(seen.messages ?? []);
}

function go(detail) {
  Object.assign(state, detail);
  forgetDrawn();
  setComposer();
  again();
}

function again() {
  looking.abort();
}

async function look(known) {
  looking = new AbortController();
  const channel = state.guild === null ? null : state.channel;
  return act("see", { user: state.user, channel, known, wait: known ? WAIT_SECONDS : 0 }, looking.signal);
}

const asked = () => [state.user, state.guild, state.channel].join("/");

async function live() {
  let known = "";
  state.guild = "0"; // none yet: settled by the first look
  for (;;) {
    const before = asked();
    try {
      const seen = await look(known);
      if (before !== asked()) known = "";
      else if (seen.state !== known) {
        state.seen = { guilds: undefined, messages: [], channel: null, ...seen };
        known = settle() && before === asked() ? seen.state : "";
        if (known) drawAll();
      }
      hide(byId("banner"));
    } catch (error) {
      known = "";
      if (error.name === "AbortError") continue;
      if (error instanceof Refused && [401, 403].includes(error.status)) {
        show(byId("banner"), "This address belongs to another start of the demo. Open the one that it prints now.");
        return;
      }
      show(byId("banner"), error instanceof Refused ? error.message
        : "The demo does not answer. Start it with `make demo`, and open the address that it prints.");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

function jump({ detail }) {
  const home = state.seen.guilds?.find((each) => each.channels.some((one) => one.id === detail.channel));
  if (!home) {
    if (state.seen.channel?.id !== detail.channel) toast("This person does not see that channel.");
    return;
  }
  if (detail.channel !== state.channel) go({ guild: home.id, channel: detail.channel });
  if (detail.message) reveal(detail.message, 20);
}

function reveal(id, tries) {
  const element = document.querySelector(`#messages [data-id="${CSS.escape(id)}"]`);
  if (element) {
    element.scrollIntoView({ block: "center" });
    element.classList.add("found");
  } else if (tries) setTimeout(() => reveal(id, tries - 1), 100);
}

addEventListener("jump", jump);
addEventListener("go", (event) => go(event.detail));
// Into the guild that one is looking at, or into one of that person's own.
function become(user) {
  const guilds = Object.keys(state.seen.people.find((person) => person.id === user)?.guilds ?? {});
  const stays = state.guild === null || guilds.includes(state.guild);
  go(stays ? { user } : { user, guild: guilds[0] ?? null, channel: null });
}

addEventListener("become", (event) => become(event.detail));
byId("people").addEventListener("change", (event) => become(event.target.value));

live();
