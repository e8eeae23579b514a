"""Random arguments for an input model: derived from its fields and its refs."""

from __future__ import annotations

import random
import types
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from operations.refs import Ref
from tests.truth.draws import ALWAYS, FIELDS, LEFT_OUT, ONLY_FOR, REFS, UNKNOWN_ID, number, words
from tests.truth.worlds import Scene


class NoGenerator(Exception):
    """An operation has an argument that nobody knows how to draw; the text says which, and where to add it."""


def derived(rng: random.Random, scene: Scene, model: type[BaseModel], owner: str) -> dict[str, Any]:
    """Arguments for an input, as JSON values. Raises NoGenerator."""
    found: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        always = name == "guild" or (owner, name) in ALWAYS or info.is_required()
        if name in LEFT_OUT or (not always and rng.random() < 0.6):
            continue
        value = drawn(rng, scene, name, info, owner)
        if value is not None:
            found[name] = value
    return found


def drawn(rng: random.Random, scene: Scene, name: str, info: FieldInfo, owner: str) -> Any:
    draw = ONLY_FOR.get((owner, name))
    if draw is not None:
        return draw(rng, scene)
    ref = next((mark for mark in info.metadata if isinstance(mark, Ref)), None)
    if ref is not None:
        return _object(rng, scene, ref.kind, f"{owner}.{name}")
    if name in FIELDS:
        return FIELDS[name](rng, scene)
    return _of(rng, scene, info.annotation, f"{owner}.{name}", info.metadata)


def _object(rng: random.Random, scene: Scene, kind: str, where: str) -> str:
    if kind not in REFS:
        raise NoGenerator(f"{where}: nobody draws a {kind}; add it to REFS in tests/truth/draws.py")
    if kind != "guild" and rng.random() < 0.02:
        return str(UNKNOWN_ID)
    return REFS[kind](rng, scene)


def _of(rng: random.Random, scene: Scene, annotation: Any, where: str, metadata: list[Any]) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        marks = [*annotation.__metadata__]
        ref = next((mark for mark in marks if isinstance(mark, Ref)), None)
        if ref is not None:
            return _object(rng, scene, ref.kind, where)
        inner = [mark for mark in marks if not isinstance(mark, FieldInfo)]
        inner += [each for mark in marks if isinstance(mark, FieldInfo) for each in mark.metadata]
        return _of(rng, scene, arguments[0], where, inner)
    if origin in (Union, types.UnionType):
        return _of(rng, scene, rng.choice([each for each in arguments if each is not type(None)]), where, metadata)
    if origin is Literal:
        return rng.choice(arguments)
    if origin in (list, tuple, set, frozenset):
        least, most = _bounds(metadata, MinLen, MaxLen)
        count = max(least, rng.choice([0, 1, 1, 2, 2, 3]))
        return [
            _of(rng, scene, arguments[0], where, []) for _ in range(min(count, most if most is not None else count))
        ]
    if isinstance(annotation, type):
        return _plain(rng, scene, annotation, where, metadata)
    raise NoGenerator(f"{where}: nobody draws {annotation}; add it to FIELDS or ONLY_FOR in tests/truth/draws.py")


def _plain(rng: random.Random, scene: Scene, kind: type[Any], where: str, metadata: list[Any]) -> Any:
    if issubclass(kind, BaseModel):
        return derived(rng, scene, kind, kind.__name__)
    if kind is bool:
        return rng.random() < 0.3
    if kind is int:
        low, high = _range(metadata)
        return number(low, high, rng.randint(low, high))(rng, scene)
    if kind is str:
        _, most = _bounds(metadata, MinLen, MaxLen)
        return words(most or 100)(rng, scene)
    raise NoGenerator(f"{where}: nobody draws a {kind.__name__}; add it to FIELDS or ONLY_FOR in tests/truth/draws.py")


def _bounds(metadata: list[Any], least: type[MinLen], most: type[MaxLen]) -> tuple[int, int | None]:
    low = next((mark.min_length for mark in metadata if isinstance(mark, least)), 0)
    high = next((mark.max_length for mark in metadata if isinstance(mark, most)), None)
    return low, high


def _range(metadata: list[Any]) -> tuple[int, int]:
    low, high = 0, 100
    for mark in metadata:
        match mark:
            case Ge(ge=int(value)):
                low = value
            case Gt(gt=int(value)):
                low = value + 1
            case Le(le=int(value)):
                high = value
            case Lt(lt=int(value)):
                high = value - 1
            case _:
                pass
    return low, max(low, high)
