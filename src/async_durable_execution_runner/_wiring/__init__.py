"""The local service put together: what runs handlers, where, and how code under test calls it."""
