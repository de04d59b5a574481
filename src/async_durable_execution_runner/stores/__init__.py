"""Where executions rest."""
