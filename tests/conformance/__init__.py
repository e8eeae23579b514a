"""The official MCP conformance suite, run against a fixture server on Guildhall's own transport."""
