"""A simulated Discord over real HTTP and WebSocket."""
