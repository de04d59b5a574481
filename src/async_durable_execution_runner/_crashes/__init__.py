"""The crash matrix: where a run can be killed, what is expected of it then, and how that is told."""
