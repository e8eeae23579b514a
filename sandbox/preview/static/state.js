// What is shown: whom one acts as, where, and the last thing seen of the world.

export const state = {
  user: null, // id
  guild: null, // id; null: direct messages
  channel: null, // id; null: direct messages
  seen: { people: [], guild_names: {}, guilds: [], messages: [], channel: null, bot_id: "" },
  read: new Map(), // channel id to the last message that was on screen
  dismissed: new Set(), // ephemeral answers that were put away
};

export const me = () => state.seen.people.find((person) => person.id === state.user);
export const guild = () => state.seen.guilds?.find((each) => each.id === state.guild) ?? null;
export const members = () => guild()?.members ?? directMembers();
export const member = (id) => members().find((each) => each.id === id);
export const channels = () => guild()?.channels ?? [];
export const roles = () => guild()?.roles ?? [];

function directMembers() {
  const all = (state.seen.guilds ?? []).flatMap((each) => each.members);
  return all.filter((each) => each.id === state.user || each.id === state.seen.bot_id).slice(0, 2);
}

// Where actions happen; in direct messages the channel has an id once there is one.
export const where = () => ({ user: state.user, channel: state.seen.channel?.id ?? state.channel });

export function readable(channel) {
  return ["text", "announcement", "voice", "stage", "dm"].includes(channel.type) || channel.type.endsWith("_thread");
}
