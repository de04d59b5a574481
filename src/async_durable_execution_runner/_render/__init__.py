"""History to text: what people look at instead of reading."""
