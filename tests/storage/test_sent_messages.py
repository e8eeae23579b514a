"""For whom a message of the bot was sent."""

from __future__ import annotations

from storage import sent_messages
from storage.database import Database
from tests.storage.rows import NOW, OWNER, installed

FOR_OWNER, FOR_OTHER, FOR_OPERATOR, FOR_NOBODY = 11, 12, 13, 14
OTHER = OWNER + 1


async def test_a_message_is_of_one_person_or_client_and_of_one_installation(database: Database) -> None:
    here, there = await installed(database), await installed(database, guild_id=OWNER + 5)
    rows = ((FOR_OWNER, OWNER, "mc_1"), (FOR_OTHER, OTHER, "mc_2"), (FOR_OPERATOR, None, "mc_3"))
    async with database.unit_of_work() as session:
        for message_id, user_id, client_id in rows:
            await sent_messages.put(
                session,
                message_id=message_id,
                channel_id=1,
                installation_id=here.id,
                user_id=user_id,
                client_id=client_id,
                call_id="cl_1",
                now=NOW,
            )
    asked = [FOR_OWNER, FOR_OTHER, FOR_OPERATOR, FOR_NOBODY]
    async with database.read() as session:
        owned = await sent_messages.owned(
            session, asked, installation_id=here.id, user_id=OWNER, client_id="mc_another"
        )
        operators = await sent_messages.owned(session, asked, installation_id=here.id, user_id=None, client_id="mc_3")
        sent = await sent_messages.sent(session, asked, installation_id=here.id)
        elsewhere = await sent_messages.sent(session, asked, installation_id=there.id)
    assert owned == {FOR_OWNER}
    assert operators == {FOR_OPERATOR}
    assert sent == {FOR_OWNER, FOR_OTHER, FOR_OPERATOR}
    assert elsewhere == frozenset()
