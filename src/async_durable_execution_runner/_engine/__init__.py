"""Lifecycle of executions: everything that happens between and around invocations, as inputs and effects."""
