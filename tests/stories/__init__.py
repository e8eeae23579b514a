"""Stories through the front door: a real MCP client, a simulated guild; the assertion is on the world."""
