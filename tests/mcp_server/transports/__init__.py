"""Tests of the MCP transports, against servers small enough to read."""
