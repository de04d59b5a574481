"""A handler run once more against what was recorded of it: what it asks for now, and what it asked for then."""
