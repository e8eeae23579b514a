"""The session that stores take: one unit of work, or one read."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

Session = AsyncSession
