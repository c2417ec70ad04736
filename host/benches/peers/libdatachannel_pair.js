// One side of a throughput measurement with libdatachannel (node-datachannel).
//
//     libdatachannel_pair.js offer BYTES MESSAGE 0
//     libdatachannel_pair.js answer BYTES MESSAGE PORT
//
// The offering side prints `listening PORT`, sends, and prints `seconds S`.

const net = require('node:net');
const rtc = require('node-datachannel');

const [role, ...numbers] = process.argv.slice(2);
const [size, message, port] = numbers.map(Number);
const LOW = 4 << 20;
const HIGH = 8 << 20;

function connection(socket) {
    const pc = new rtc.PeerConnection(role, { iceServers: [], maxMessageSize: 262144 });
    pc.onGatheringStateChange((state) => {
        if (state === 'complete') socket.write(JSON.stringify(pc.localDescription()) + '\n');
    });
    let text = '';
    socket.on('data', (data) => {
        text += data;
        for (let end; (end = text.indexOf('\n')) >= 0; text = text.slice(end + 1)) {
            const { sdp, type } = JSON.parse(text.slice(0, end));
            pc.setRemoteDescription(sdp, type);
        }
    });
    socket.on('error', () => {});
    return pc;
}

function send(channel) {
    const payload = Buffer.alloc(message, 0x5a);
    const begun = process.hrtime.bigint();
    let left = size;
    const more = () => {
        while (left > 0 && channel.bufferedAmount() < HIGH) {
            channel.sendMessageBinary(payload.subarray(0, Math.min(left, message)));
            left -= message;
        }
    };
    channel.setBufferedAmountLowThreshold(LOW);
    channel.onBufferedAmountLow(more);
    channel.onMessage(() => {
        console.log('seconds', Number(process.hrtime.bigint() - begun) / 1e9);
        process.exit(0);
    });
    more();
}

function receive(channel) {
    let received = 0;
    channel.onMessage((data) => {
        received += data.length;
        if (received >= size) channel.sendMessageBinary(Buffer.from('done'));
    });
}

if (role === 'offer') {
    const server = net.createServer((socket) => {
        const channel = connection(socket).createDataChannel('frames');
        channel.onOpen(() => send(channel));
    });
    server.listen(0, '127.0.0.1', () => console.log('listening', server.address().port));
} else {
    const socket = net.connect(port, '127.0.0.1');
    connection(socket).onDataChannel(receive);
}
