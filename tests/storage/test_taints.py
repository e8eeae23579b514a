from __future__ import annotations

from policy.taint import Source
from storage import taints
from storage.database import Database
from storage.taints import Holder
from tests.storage import rows
from tests.storage.rows import NOW

HOUR = 3_600.0


async def test_marks_hold_for_an_hour_from_the_last_reading(database: Database) -> None:
    workspace_id = (await rows.installed(database)).workspace_id
    channel, gated = Source(1, 2), Source(1, None, 128)
    async with database.unit_of_work() as session:
        await taints.put(session, workspace_id, 5, [channel, gated, channel], NOW)
        await taints.put(session, workspace_id, 5, [channel], NOW + 60)
        await taints.put(session, workspace_id, None, [channel], NOW, client_id="mc_1")
        await taints.put(session, workspace_id, 5, [], NOW)
    async with database.read() as session:
        assert await taints.load(session, NOW) == {
            Holder(workspace_id, 5, ""): {channel: NOW + 60 + HOUR, gated: NOW + HOUR},
            Holder(workspace_id, None, "mc_1"): {channel: NOW + HOUR},
        }
        assert await taints.load(session, NOW + HOUR) == {Holder(workspace_id, 5, ""): {channel: NOW + 60 + HOUR}}
    async with database.unit_of_work() as session:
        assert await taints.erase_older(session, database.keyring, NOW) == 2
        assert await taints.erase_older(session, database.keyring, NOW) == 0
