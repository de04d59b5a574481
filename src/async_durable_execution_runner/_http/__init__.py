"""The endpoint: a pure function from request to response, and a server around it."""
