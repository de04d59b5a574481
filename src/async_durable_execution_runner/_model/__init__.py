"""Pure data of the service: operations, executions, events, limits. Nothing here reads a clock or does I/O."""
