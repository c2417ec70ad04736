"""An aiortc program of the usual shape that sends every message back.

    echo_peer.py offer PORT      listens, offers, makes the data channel
    echo_peer.py answer PORT     dials, answers, takes the data channel

`offer-unordered` makes a channel that is not ordered; a last word `slow` keeps
aiortc's default STUN server.
It prints what happens, one word or line each: `open`, `closed`, `bye`, `eof`.
It ends with a status of 0 only after a goodbye.
"""

import asyncio
import sys

from aiortc import (
    RTCConfiguration,
    RTCIceCandidate,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.signaling import BYE, TcpSocketSignaling


def say(*words):
    print(*words, flush=True)


def echo(channel):
    @channel.on("message")
    def on_message(message):
        channel.send(message)

    channel.on("close", lambda: say("closed"))


async def consume(pc, signaling):
    while True:
        message = await signaling.receive()
        if isinstance(message, RTCSessionDescription):
            await pc.setRemoteDescription(message)
            if message.type == "offer":
                await pc.setLocalDescription(await pc.createAnswer())
                await signaling.send(pc.localDescription)
        elif isinstance(message, RTCIceCandidate):
            await pc.addIceCandidate(message)
        elif message is BYE:
            say("bye")
            return 0
        else:
            say("eof")
            return 1


async def main(role, port, slow):
    # aiortc asks a public STUN server unless it is told not to, and waits 5 s
    # for it on a machine without a way there.
    pc = RTCPeerConnection(None if slow else RTCConfiguration(iceServers=[]))
    signaling = TcpSocketSignaling("127.0.0.1", port)

    @pc.on("datachannel")
    def on_datachannel(channel):
        echo(channel)
        say("open", channel.label, channel.ordered, channel.maxRetransmits)

    if role.startswith("offer"):
        channel = pc.createDataChannel("frames", ordered=role != "offer-unordered")
        echo(channel)
        channel.on("open", lambda: say("open", channel.label))
        await pc.setLocalDescription(await pc.createOffer())
        say("listening")
        await signaling.send(pc.localDescription)
    status = await consume(pc, signaling)
    await signaling.close()
    await pc.close()
    return status


sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]), "slow" in sys.argv)))
