"""The web's face of Guildhall: MCP over HTTP and stdio, OAuth, the console, health and metrics."""
