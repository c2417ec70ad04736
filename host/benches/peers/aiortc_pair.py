"""One side of a throughput measurement with aiortc.

    aiortc_pair.py offer BYTES MESSAGE 0
    aiortc_pair.py answer BYTES MESSAGE PORT

The offering side prints `listening PORT`, sends, and prints `seconds S`.
"""

import asyncio
import socket
import sys
import time

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.contrib.signaling import TcpSocketSignaling

DONE = b"done"
LOW, HIGH = 4 << 20, 8 << 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def offer(size: int, message: int) -> None:
    port = free_port()
    signaling = TcpSocketSignaling("127.0.0.1", port)
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = pc.createDataChannel("frames")
    opened, room, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    channel.bufferedAmountLowThreshold = LOW
    channel.on("open", opened.set)
    channel.on("bufferedamountlow", room.set)
    channel.on("message", lambda data: done.set() if data == DONE else None)
    await pc.setLocalDescription(await pc.createOffer())
    print("listening", port, flush=True)
    await signaling.send(pc.localDescription)
    await pc.setRemoteDescription(await signaling.receive())
    await opened.wait()
    begun = time.monotonic()
    payload = bytes([0x5A]) * message
    left = size
    while left > 0:
        if channel.bufferedAmount > HIGH:
            room.clear()
            await room.wait()
        channel.send(payload[: min(left, message)])
        left -= message
        await asyncio.sleep(0)
    await done.wait()
    print("seconds", time.monotonic() - begun, flush=True)
    await signaling.close()
    await pc.close()


async def dial(port: int) -> TcpSocketSignaling:
    # aiortc listens only when it sends, and does not dial twice.
    while True:
        signaling = TcpSocketSignaling("127.0.0.1", port)
        try:
            await signaling._connect(False)
            return signaling
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)


async def answer(size: int, port: int) -> None:
    signaling = await dial(port)
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    done = asyncio.Event()

    @pc.on("datachannel")
    def on_datachannel(channel):
        received = 0

        @channel.on("message")
        def on_message(data):
            nonlocal received
            received += len(data)
            if received >= size:
                channel.send(DONE)
                done.set()

    await pc.setRemoteDescription(await signaling.receive())
    await pc.setLocalDescription(await pc.createAnswer())
    await signaling.send(pc.localDescription)
    await done.wait()
    await signaling.receive()
    await pc.close()


role, size, message, port = sys.argv[1], *map(int, sys.argv[2:5])
asyncio.run(offer(size, message) if role == "offer" else answer(size, port))
