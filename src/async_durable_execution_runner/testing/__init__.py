"""Contract checks for what other packages plug in, to be run in their own tests."""

from .stores import check_store

__all__ = ["check_store"]
