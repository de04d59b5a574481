"""The parts of a local runner's surface, by what they are for."""
