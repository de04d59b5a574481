"""What makes the engine run: loops that take its actions and carry them out. With ``clock``, the room of real time."""
