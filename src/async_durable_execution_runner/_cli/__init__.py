"""The commands of ``durable-runner``, one file for each kind. The only room that imports click and rich."""
