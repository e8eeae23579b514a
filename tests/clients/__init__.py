"""Other people's MCP clients against ``guildhall demo``: what works there works for a newcomer."""
