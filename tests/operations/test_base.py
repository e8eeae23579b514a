"""What an operation declares is checked when its class is defined."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from operations.base import (
    ALL_FACES,
    Context,
    ControlOperation,
    Delegate,
    Empty,
    Inverse,
    Model,
    Operation,
    Preview,
    ReadOperation,
    Reconcile,
    WriteOperation,
)
from operations.refs import ChannelRef, MemberRef, RefField
from policy.model import Kind, Need, OperationClass, PlatformRole, Reach, Requirement, Tier


class Asked(Model):
    channel: ChannelRef
    members: list[MemberRef] = Field(default_factory=list[str])


class Done(Model):
    text: str


class Told(Model):
    text: str


class Reading(ReadOperation[Asked, Told]):
    """Looks at something.

    In two paragraphs.
    """

    name = "thing_get"
    toolset = "things"
    scope = "things:read"

    async def read(self, ctx: Context, arguments: Asked) -> Told:
        return Told(text="")


class Writing(WriteOperation[Asked, Done, Told]):
    """Changes something."""

    name = "thing_edit"
    toolset = "things"
    scope = "things:write"
    bot_permissions = ("manage_channels",)
    actor_permissions = ("manage_channels",)

    async def preview(self, ctx: Context, arguments: Asked) -> Preview[Done]:
        return Preview("", Done(text=""))

    def needs_of(self, ctx: Context, effect: Done) -> tuple[Need, ...]:
        return ()

    async def execute(self, ctx: Context, effect: Done) -> Told:
        return Told(text=effect.text)


class Moving(ControlOperation[Asked, Told]):
    """Moves something."""

    name = "thing_move"
    toolset = "things"
    scope = "things:write"
    open_to_members = "it is the caller's own"

    async def control(self, ctx: Context, arguments: Asked) -> Told:
        return Told(text="")


def declared(base: type[Operation], **attributes: Any) -> type[Operation]:
    """A subclass as if it stood in a module: with a name and a docstring, and these attributes."""
    given: dict[str, Any] = {"__doc__": "Does a thing.", "__module__": __name__, "name": "thing_try"} | attributes
    return type("Declared", (base,), {key: value for key, value in given.items() if value is not ...})


def judged(self: Any, ctx: Any, given: Any) -> Requirement:
    return Writing.base_requirement()


def test_a_good_class_is_completed_from_its_type_parameters_and_its_docstring() -> None:
    assert Writing.Input is Asked
    assert Writing.Effect is Done
    assert Writing.Result is Told
    assert Reading.Input is Asked
    assert Reading.Result is Told
    assert Reading.description == "Looks at something. In two paragraphs."
    assert Reading.title == "Thing get"
    assert Writing.refs == {"channel": RefField("channel", many=False), "members": RefField("member", many=True)}
    assert Reading.faces == ALL_FACES
    assert Writing.reach is Reach.LEAVES
    assert (Reading.kind, Writing.kind, Moving.kind) == (Kind.READ, Kind.WRITE, Kind.CONTROL)


def test_the_class_of_an_operation_follows_from_kind_and_tier() -> None:
    assert Reading.operation_class() is OperationClass.READ
    assert Writing.operation_class() is OperationClass.WRITE
    assert Moving.operation_class() is OperationClass.WRITE
    assert declared(Writing, tier=Tier.RISKY).operation_class() is OperationClass.DESTROY


def test_the_least_role_follows_from_kind_and_scope_unless_it_is_declared() -> None:
    assert Reading.base_requirement().min_role is PlatformRole.VIEWER
    assert Writing.base_requirement().min_role is PlatformRole.MEMBER
    assert declared(Writing, min_role=PlatformRole.ADMIN).base_requirement().min_role is PlatformRole.ADMIN
    administration = declared(Writing, scope="admin:policy").base_requirement()
    assert administration.min_role is PlatformRole.MANAGER


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"name": ...}, "name is missing"),
        ({"name": "Thing"}, "name 'Thing' must match"),
        ({"name": "thing.get"}, "name 'thing.get' must match"),
        ({"name": "ab"}, "name 'ab' must match"),
        ({"name": "thing_get\n"}, "must match"),
        ({"name": "a" * 65}, "must match"),
        ({"__doc__": ...}, "the docstring is the description"),
        ({"__doc__": ""}, "the docstring is the description"),
        ({"toolset": ""}, "toolset is missing"),
        ({"scope": ""}, "scope is missing"),
        ({"scope": "things"}, "scope 'things' must be"),
        ({"scope": "*:write"}, r"scope '\*:write' must be"),
        ({"bot_permissions": ("manage_everything",)}, "unknown permission 'manage_everything'"),
        ({"actor_permissions": ("manage_everything",)}, "unknown permission 'manage_everything'"),
        ({"actor_permissions": ()}, "must be declared open_to_members"),
        ({"toolset": "administration"}, "administration is never offered to models"),
        ({"tier": Tier.READ}, "kind and tier disagree"),
        ({"reconcile": Reconcile.READ_BACK}, "read_back must be written"),
        ({"reconcile": Reconcile.AUDIT_LOG}, "audit_action and found must be given"),
        ({"reconcile": Reconcile.AUDIT_LOG, "audit_action": 10}, "audit_action and found must be given"),
        ({"requirement": judged}, "belong together"),
        ({"requirement_of": judged}, "belong together"),
    ],
)
def test_a_bad_class_fails_when_it_is_defined_and_says_why(attributes: dict[str, Any], reason: str) -> None:
    with pytest.raises(TypeError, match=reason) as raised:
        declared(Writing, **attributes)
    assert "Declared: " in str(raised.value)


def test_the_audit_log_may_name_an_effect_in_more_than_one_way() -> None:
    for given, expected in ((None, ()), (10, (10,)), ((13, 14), (13, 14))):
        operation = declared(Writing, audit_action=given)
        assert issubclass(operation, WriteOperation)
        assert operation.audit_actions() == expected


def test_a_read_that_claims_to_write_fails() -> None:
    with pytest.raises(TypeError, match="kind and tier disagree"):
        declared(Reading, tier=Tier.WRITE)


def test_a_class_that_leaves_a_method_out_is_told_which() -> None:
    with pytest.raises(TypeError, match="execute, needs_of, preview must be written"):

        class Unfinished(WriteOperation[Asked, Done, Told]):  # pyright: ignore[reportUnusedClass]
            """Changes nothing yet."""

            name = "thing_unfinished"
            toolset = "things"
            scope = "things:write"
            actor_permissions = ("manage_channels",)


def test_a_class_without_models_is_told_how_to_name_them() -> None:
    with pytest.raises(TypeError, match="name the models"):

        class Bare(ReadOperation):  # pyright: ignore[reportMissingTypeArgument, reportUnusedClass]
            """Reads nothing."""

            name = "thing_bare"
            toolset = "things"
            scope = "things:read"

            async def read(self, ctx: Context, arguments: Any) -> Any:
                return Told(text="")


def test_an_input_that_takes_what_every_write_takes_is_refused() -> None:
    class Clashing(Model):
        reason: str

    with pytest.raises(TypeError, match="reason belong to every write already"):

        class Doubled(WriteOperation[Clashing, Done, Told]):  # pyright: ignore[reportUnusedClass]
            """Has two reasons."""

            name = "thing_doubled"
            toolset = "things"
            scope = "things:write"
            actor_permissions = ("manage_channels",)

            async def preview(self, ctx: Context, arguments: Clashing) -> Preview[Done]:
                return Preview("", Done(text=""))

            def needs_of(self, ctx: Context, effect: Done) -> tuple[Need, ...]:
                return ()

            async def execute(self, ctx: Context, effect: Done) -> Told:
                return Told(text="")


def test_a_read_may_take_a_reason_of_its_own() -> None:
    class Reasoned(Model):
        reason: str

    class Why(ReadOperation[Reasoned, Told]):
        """Reads a reason."""

        name = "thing_why"
        toolset = "things"
        scope = "things:read"

        async def read(self, ctx: Context, arguments: Reasoned) -> Told:
            return Told(text=arguments.reason)

    assert Why.Input is Reasoned


def test_a_delegate_takes_a_name_and_arguments() -> None:
    class Through(Delegate):
        """Calls another one."""

        name = "operation_try"
        toolset = "meta"
        scope = "meta:read"
        kind = Kind.READ
        tier = Tier.READ
        delegates = OperationClass.READ

    assert set(Through.Input.model_fields) == {"name", "arguments"}
    assert not Through.in_guild


def test_a_model_is_frozen_and_takes_no_field_that_it_does_not_name() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Told(text="a").text = "b"
    with pytest.raises(ValueError, match="Extra inputs"):
        Told.model_validate({"text": "a", "txet": "b"})
    assert Empty.model_fields == {}


def test_requirement_and_requirement_of_may_be_overridden_together() -> None:
    assert declared(Writing, requirement=judged, requirement_of=judged).name == "thing_try"


def test_an_inverse_is_an_operation_with_its_arguments() -> None:
    assert Inverse(operation="thing_edit", arguments={"channel": "1"}).operation == "thing_edit"
