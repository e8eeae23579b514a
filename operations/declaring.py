"""What a declaration of an operation is completed with, and checked for, when its class is defined."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, cast, get_args, get_origin

from operations.base import Common, Delegate, DelegateInput, Empty, Model, Operation, Reconcile, WriteOperation
from operations.refs import ref_fields
from policy.model import Face, Kind, Tier
from policy.permissions import bits
from policy.scopes import SCOPE

NAME = re.compile(r"^[a-z][a-z0-9_]{2,63}$")
ADMINISTRATION = frozenset({Face.SLASH, Face.CONSOLE, Face.CLI})


def declare(cls: type[Operation]) -> None:
    """Completes and checks a declaration. Raises TypeError naming the class and what is wrong."""

    def bad(problem: str) -> TypeError:
        return TypeError(f"{cls.__module__}.{cls.__qualname__}: {problem}")

    if "name" not in cls.__dict__:
        raise bad("name is missing")
    if not NAME.fullmatch(cls.name):
        raise bad(f"name {cls.name!r} must match {NAME.pattern}")
    # inspect.getdoc would take a base's for one that is missing.
    documentation = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
    if not documentation:
        raise bad("the docstring is the description that a model reads; it is missing")
    cls.description = " ".join(documentation.split())
    if "title" not in cls.__dict__:
        cls.title = cls.name.replace("_", " ").capitalize()
    for attribute in ("toolset", "scope"):
        if not getattr(cls, attribute, None):
            raise bad(f"{attribute} is missing")
    if not SCOPE.match(cls.scope) or "*" in cls.scope:
        raise bad(f"scope {cls.scope!r} must be <toolset>:<action>")
    for names in (cls.bot_permissions, cls.actor_permissions):
        try:
            bits(*names)
        except KeyError as unknown:
            raise bad(f"unknown permission {unknown}") from None
    if cls.kind is not Kind.READ and cls.in_guild and not cls.actor_permissions and not cls.open_to_members:
        raise bad("empty actor_permissions must be declared open_to_members with its reason")
    if cls.toolset == "administration" and not cls.faces <= ADMINISTRATION:
        raise bad("administration is never offered to models")
    if cls.of_inert_guild and (cls.toolset != "administration" or cls.tier is not Tier.WRITE or not cls.in_guild):
        raise bad("of a guild that nobody has installed nothing is offered but a write of administration")
    if (cls.kind is Kind.READ) is not (cls.tier is Tier.READ):
        raise bad("kind and tier disagree")
    _take_models(cls, bad)
    cls.refs = ref_fields(cls.Input)
    absent = sorted(name for name in dir(cls) if getattr(getattr(cls, name, None), "__isabstractmethod__", False))
    if absent:
        raise bad(f"{', '.join(absent)} must be written")
    if issubclass(cls, WriteOperation):
        _check_write(cast("type[WriteOperation[Any, Any, Any]]", cls), bad)


def _check_write(cls: type[WriteOperation[Any, Any, Any]], bad: Callable[[str], TypeError]) -> None:
    """What is previewed, what is confirmed and what is recovered must be judged alike."""

    def overrides(method: str) -> bool:
        return getattr(cls, method) is not getattr(WriteOperation, method)

    if overrides("requirement") is not overrides("requirement_of"):
        raise bad("requirement and requirement_of belong together: a plan is judged again from its effect")
    if cls.reconcile is Reconcile.READ_BACK and not overrides("read_back"):
        raise bad("it reconciles by reading back; read_back must be written")
    if cls.reconcile is Reconcile.AUDIT_LOG and (not cls.audit_actions() or not overrides("found")):
        raise bad("it reconciles by the audit log; audit_action and found must be given")


def _take_models(cls: type[Operation], bad: Callable[[str], TypeError]) -> None:
    if issubclass(cls, Delegate):
        cls.Input, cls.Result = DelegateInput, Empty
        return
    bases: tuple[Any, ...] = cls.__dict__.get("__orig_bases__", cls.__bases__)
    for base in bases:
        origin = get_origin(base)
        if not (inspect.isclass(origin) and issubclass(origin, Operation)):
            continue
        arguments = get_args(base)
        models = [cast("type[Model]", argument) for argument in arguments]
        if not all(inspect.isclass(model) for model in arguments):
            raise bad("type parameters must be models")
        cls.Input = models[0]
        if len(models) == 1:
            break  # a family of operations, which has told effect and result
        cls.Result = models[-1]
        if len(models) == 3:
            cast("type[WriteOperation[Any, Any, Any]]", cls).Effect = models[1]
        break
    if not hasattr(cls, "Input") or not hasattr(cls, "Result"):
        raise bad("name the models: ReadOperation[Input, Result] or WriteOperation[Input, Effect, Result]")
    clash = set(Common.model_fields) & set(cls.Input.model_fields)
    if cls.kind is Kind.WRITE and clash:
        raise bad(f"{', '.join(sorted(clash))} belong to every write already")
