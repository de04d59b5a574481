"""The only write path of a running invocation: validators and processors, one file per type of operation."""
