"""Random arguments for every operation: derived from its input and its refs, or by a generator of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from operations.base import Common, Model, Operation
from tests.truth.derived import NoGenerator, derived
from tests.truth.generators import OPERATIONS
from tests.truth.worlds import Scene

TRIES = 50


def parsed(operation: type[Operation], given: Mapping[str, Any]) -> tuple[Model, str | None]:
    """The operation's own arguments, and the reason that every write takes. Raises ValidationError."""
    if "reason" in operation.Input.model_fields:
        return operation.Input.model_validate(given), None
    common = Common.model_validate({name: given[name] for name in ("reason",) if name in given})
    own = {name: value for name, value in given.items() if name != "reason"}
    return operation.Input.model_validate(own), common.reason


def arguments_for(rng: random.Random, scene: Scene, operation: type[Operation], requester: int) -> dict[str, Any]:
    """Arguments that the input takes, as JSON values.

    Raises NoGenerator when nobody knows how to draw them, or when what is drawn is never taken.
    """
    generate = OPERATIONS.get(operation.name)
    failed: ValidationError | None = None
    for _ in range(TRIES):
        given = (
            derived(rng, scene, operation.Input, operation.name)
            if generate is None
            else generate(rng, scene, operation, requester)
        )
        try:
            parsed(operation, given)
        except ValidationError as error:
            failed = error
        else:
            return given
    raise NoGenerator(f"{operation.name}: no drawn arguments are taken; give it a generator of its own: {failed}")
