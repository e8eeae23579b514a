"""What simcord leaves out of roles: their limits, and which of them nobody can be given."""

from __future__ import annotations

import re

from sandbox.additions import Addition, Request, Rule, invalid_form
from sandbox.internals import BackendError

MAX_ROLES = 250
MAX_ROLE_NAME = 100
_OF_GUILD = re.compile(r"/guilds/(?P<guild>\d+)/roles")
_ONE = re.compile(r"/guilds/\d+/roles/\d+")
_OF_MEMBER = re.compile(r"/guilds/(?P<guild>\d+)/members/\d+/roles/(?P<role>\d+)")


def _name(request: Request, _match: re.Match[str]) -> None:
    """ "name of the role, max 100 characters"; the OpenAPI description asks for one at least.

    https://discord.com/developers/docs/resources/guild#create-guild-role
    """
    name = request.fields.get("name")
    if name is not None and not 1 <= len(str(name).strip()) <= MAX_ROLE_NAME:
        raise invalid_form("name must be between 1 and 100 in length")


def _room(request: Request, match: re.Match[str]) -> None:
    """ "Maximum number of guild roles reached (250)".

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    """
    if len(request.backend.get_guild(int(match["guild"])).roles) >= MAX_ROLES:
        raise BackendError(400, 30005, "Maximum number of guild roles reached (250)")


def _given_by_hand(request: Request, match: re.Match[str]) -> None:
    """Error 50028, "Invalid role": everybody's, and one that is "managed by an integration".

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    https://discord.com/developers/docs/topics/permissions#role-object
    """
    guild = request.backend.get_guild(int(match["guild"]))
    role = guild.roles.get(int(match["role"]))
    if role is not None and (role.managed or role.id == guild.id):
        raise BackendError(403, 50028, "Invalid Role")


class Roles(Addition):
    rules = (
        Rule("POST", _OF_GUILD, _name),
        Rule("POST", _OF_GUILD, _room),
        Rule("PATCH", _ONE, _name),
        Rule("PUT", _OF_MEMBER, _given_by_hand),
        Rule("DELETE", _OF_MEMBER, _given_by_hand),
    )
