"""What the command line takes. What its commands do is in bot/commands, and is imported only when it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp_server.product import product_version

if TYPE_CHECKING:
    # argparse names it so
    from argparse import _SubParsersAction  # pyright: ignore[reportPrivateUsage]

    Commands = _SubParsersAction[argparse.ArgumentParser]


def parsed(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command and its options. Ends the process for --help, --version, and a wrong command line."""
    parser = argparse.ArgumentParser(prog="guildhall", description="A self-hosted control plane for Discord.")
    parser.add_argument("--version", action="version", version=f"guildhall {product_version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the bot and the MCP server")
    run.add_argument("--reload", action="store_true", help="start anew when the code changes")
    _add_demo(commands)
    _add_stdio(commands)
    commands.add_parser("doctor", help="check token, intents, database, Redis, clock and public URL")
    migrate = commands.add_parser("migrate", help="bring the database's schema up to date")
    migrate.add_argument(
        "--down", metavar="REVISION", help="go back to this revision instead (base: an empty database)"
    )
    _add_token(commands)
    _add_guild(commands)
    _add_policy(commands)
    _add_audit(commands)
    _add_pause(commands)
    _add_reference(commands)
    return parser.parse_args(argv)


def _add_demo(commands: Commands) -> None:
    parser = commands.add_parser("demo", help="try it all on loopback, with a simulated Discord")
    parser.add_argument("--port", type=_port, default=8000, help="the MCP server's port; 0 takes a free one")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when all is ready")
    parser.add_argument("--keep", action="store_true", help="keep the database (in ./data/demo) for the next run")


def _port(text: str) -> int:
    """argparse turns the ValueError of what is no number into its own message."""
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is no port; they go from 0 to 65535")
    return port


def _add_stdio(commands: Commands) -> None:
    parser = commands.add_parser("stdio", help="MCP over standard input and output")
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--as",
        dest="user_id",
        type=int,
        metavar="USER_ID",
        help="act as this member (default: the application's owner)",
    )
    who.add_argument("--operator", action="store_true", help="nobody stands behind it: needs --guild")
    parser.add_argument("--guild", action="append", type=int, default=[], metavar="GUILD_ID", help="only these guilds")


def _add_token(commands: Commands) -> None:
    parser = commands.add_parser("token", help="create, list and revoke client tokens")
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="create a token; it is shown once")
    create.add_argument("--name", required=True, help="what the token is for")
    who = create.add_mutually_exclusive_group(required=True)
    who.add_argument("--as", dest="user_id", type=int, metavar="USER_ID", help="the member that the client acts as")
    who.add_argument("--operator", action="store_true", help="nobody stands behind it: needs --guild and expires")
    create.add_argument(
        "--scope", action="append", default=[], help="read (default), write, all, or <toolset>:<action>"
    )
    create.add_argument("--toolset", action="append", default=[], help="list only these toolsets")
    create.add_argument("--guild", action="append", type=int, default=[], metavar="GUILD_ID", help="only these guilds")
    create.add_argument("--workspace", help="the workspace (default: that of the guild, else the default one)")
    create.add_argument("--expires", metavar="30d", help="hours, days or weeks: 8h, 30d, 12w")
    create.add_argument("--read-only", action="store_true", help="refuse every write")
    create.add_argument("--direct", action="store_true", help="writes run without dry_run=false")
    listing = actions.add_parser("list", help="list tokens")
    listing.add_argument("--all", action="store_true", help="revoked and expired ones too")
    revoke = actions.add_parser("revoke", help="revoke a token at once")
    revoke.add_argument("client_id", help="mc_…, from `guildhall token list`")


def _add_guild(commands: Commands) -> None:
    parser = commands.add_parser("guild", help="claim a guild that the bot has joined")
    actions = parser.add_subparsers(dest="action", required=True)
    claim = actions.add_parser("claim", help="have the guild served, as a member with Manage Server")
    claim.add_argument("--guild", type=int, required=True, metavar="GUILD_ID")
    claim.add_argument(
        "--as", dest="user_id", type=int, required=True, metavar="USER_ID", help="the member who claims it"
    )


def _add_policy(commands: Commands) -> None:
    parser = commands.add_parser("policy", help="show, set and test a guild's policy")
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="show a guild's policy")
    setting = actions.add_parser(
        "set",
        help="set a guild's policy",
        description="Changes what is named and leaves the rest. What would loosen the policy is asked for in a "
        "member's name: a person confirms it in Discord.",
    )
    test = actions.add_parser(
        "test",
        help="tell whether a member's call would pass",
        description="Tells which step refuses a member's call, and what would help. Nothing is done.",
    )
    for each in (show, setting, test):
        each.add_argument("--guild", type=int, required=True, metavar="GUILD_ID")
    test.add_argument("--as", dest="user_id", type=int, required=True, metavar="USER_ID", help="the member")
    test.add_argument("operation", metavar="OPERATION", help="such as message_send")
    test.add_argument("arguments", metavar="ARGUMENTS", nargs="?", default="{}", help="its arguments, as JSON")
    setting.add_argument(
        "--as",
        dest="user_id",
        type=int,
        metavar="USER_ID",
        help="with this member's rights (default: tighten by itself, and ask for the rest as the application's owner)",
    )
    setting.add_argument(
        "--channel", type=int, metavar="CHANNEL_ID", help="set the rules of this channel or category, not the guild's"
    )
    setting.add_argument("--read", choices=["allow", "deny"], help="rule for reads")
    setting.add_argument("--write", choices=["allow", "confirm", "deny"], help="rule for writes")
    setting.add_argument("--destroy", choices=["allow", "confirm", "deny"], help="rule for deletions and the like")
    setting.add_argument(
        "--tier",
        action="append",
        default=[],
        metavar="OPERATION=TIER",
        help="raise an operation to risky or critical; none lifts that",
    )
    setting.add_argument("--approvals-channel", type=int, metavar="CHANNEL_ID", help="where cards are posted")
    setting.add_argument(
        "--approver-role", action="append", type=int, metavar="ROLE_ID", help="approvers hold one of these roles too"
    )
    setting.add_argument("--log-channel", type=int, metavar="CHANNEL_ID", help="where effects and refusals are told")
    setting.add_argument(
        "--map-role",
        action="append",
        metavar="ROLE_ID=ROLE",
        help="the platform role of those who hold a role: viewer, member, manager, admin, or none to unmap it",
    )
    setting.add_argument("--record-reads", choices=["on", "off"], help="audit each read instead of counting them")
    setting.add_argument("--four-eyes", choices=["on", "off"], help="a plan needs the approval of a second person")


def _add_audit(commands: Commands) -> None:
    parser = commands.add_parser("audit", help="verify and export the audit")
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="check the chain of every workspace; exit code 1 when it is broken")
    what = verify.add_mutually_exclusive_group()
    what.add_argument("--workspace", help="only this one")
    what.add_argument("--file", metavar="PATH", help="what `audit export` wrote; needs SECRET_KEYS, and no database")
    export = actions.add_parser("export", help="write the audit as JSON lines, each with its place in the chain")
    export.add_argument("--workspace", help="only this one")
    export.add_argument("--output", metavar="PATH", help="a new file (default: standard output)")


def _add_pause(commands: Commands) -> None:
    pause = commands.add_parser(
        "pause",
        help="hold every write, everywhere or in one guild",
        description="A running instance follows within a second. Plans that wait are cancelled; reading goes on.",
    )
    pause.add_argument("--minutes", type=int, metavar="N", help="how long (default: until `guildhall resume`)")
    resume = commands.add_parser("resume", help="let writes through again")
    for each in (pause, resume):
        each.add_argument("--guild", type=int, metavar="GUILD_ID", help="in this guild alone")


def _add_reference(commands: Commands) -> None:
    parser = commands.add_parser("reference", help="write docs/operations.md from the catalogue")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is not current")
