"""``python -m mcp_server``: the same as ``guildhall stdio``."""

from __future__ import annotations

import sys

from bot.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["stdio", *sys.argv[1:]]))
