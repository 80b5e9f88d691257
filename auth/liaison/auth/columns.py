"""Columns that the tables of this area share."""

from typing import Any

from sqlalchemy import Column, DateTime


def moment(name: str, **more: Any) -> Column[Any]:
    """A point in time. Keywords are those of Column."""
    return Column(name, DateTime(timezone=True), **more)
