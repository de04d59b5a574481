"""The border: botocore's service model and what it says about shapes, limits and errors."""
