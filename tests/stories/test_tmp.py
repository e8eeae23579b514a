import time
import pytest
from tests.app import *
pytestmark = pytest.mark.asyncio(loop_scope="session")
async def test_x(town, place):
    t0=time.perf_counter()
    p=await town.place()
    print("place", time.perf_counter()-t0)
    for i in range(5):
        t0=time.perf_counter()
        a=await place.call("channel_list")
        print("call", time.perf_counter()-t0)
    t0=time.perf_counter()
    print(await place.sent())
    print("send", time.perf_counter()-t0)
    for m in (MODERN,HANDSHAKE,SSE):
        t0=time.perf_counter()
        async with place.client("ada", m) as c:
            print(m, c.session.protocol_version, time.perf_counter()-t0)
            t0=time.perf_counter()
            for i in range(10): await c.call_tool("channel_list", {})
            print((time.perf_counter()-t0)/10)
    w=await place.world()
