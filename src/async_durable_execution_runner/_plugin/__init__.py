"""The parts of the pytest plugin; ``pytest_plugin`` is its door."""
