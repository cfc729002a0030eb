"""Conditions on lists of any length: a list travels as one array; a statement may have 65,535 values only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, all_, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def one_of(column: ColumnElement[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """Return that the column is one of the values; never so for an empty list."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def none_of(column: ColumnElement[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """Return that the column is none of the values; always so for an empty list."""
    return column != all_(literal(list(values), ARRAY(column.type)))
