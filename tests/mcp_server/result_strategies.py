"""Results of operations, made up from their models."""

from __future__ import annotations

from typing import Any, cast, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def results_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of the model, with all that its fields' types allow."""
    return st.builds(model, **{name: _values(field.annotation) for name, field in model.model_fields.items()})


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    """Hypothesis knows nothing of Any, and takes what a field's type says for what its model says."""
    if annotation is Any:
        return JSON_VALUES
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return results_of(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return st.lists(_values(arguments[0]), max_size=3)
    if origin is dict and arguments[1] is Any:
        return st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=2)
    if type(None) in arguments:
        rest = [_values(argument) for argument in arguments if argument is not type(None)]
        return st.none() | st.one_of(rest)
    known: st.SearchStrategy[Any] = st.from_type(cast("type[Any]", annotation))
    return known
