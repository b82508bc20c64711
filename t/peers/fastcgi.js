// A FastCGI application that answers its parameters and what it got on its
// standard input, as JSON.  HTTP_X_ECHO may ask for a status and headers.

'use strict';

const crypto = require('crypto');
const net = require('net');

const { serve, listen } = require('./peer.js');


const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;


function record(type, id, body) {
    const head = Buffer.from([1, type, id >> 8, id & 255, body.length >> 8,
                              body.length & 255, 0, 0]);
    return Buffer.concat([head, body]);
}


function lengthAt(data, at) {
    return data[at] < 128 ? [data[at], at + 1]
                          : [data.readUInt32BE(at) & 0x7fffffff, at + 4];
}


function parameters(data) {
    const out = {};
    let at = 0;
    let name, value;

    while (at < data.length) {
        [name, at] = lengthAt(data, at);
        [value, at] = lengthAt(data, at);
        out[data.toString('latin1', at, at + name)]
            = data.toString('latin1', at + name, at + name + value);
        at += name + value;
    }

    return out;
}


function answer(socket, request) {
    const params = parameters(Buffer.concat(request.params));
    const body = Buffer.concat(request.stdin);
    const order = JSON.parse(params.HTTP_X_ECHO || '{}');
    let head = `Status: ${order.status || 200}\r\n`
        + 'Content-Type: application/json\r\n';

    for (const name in order.headers || {}) {
        head += `${name}: ${order.headers[name]}\r\n`;
    }

    const text = JSON.stringify({
        params, length: body.length,
        sha256: crypto.createHash('sha256').update(body).digest('hex')
    });

    const out = Buffer.from(`${head}\r\n${text}`);

    for (let at = 0; at < out.length; at += 65528) {
        socket.write(record(STDOUT, request.id, out.subarray(at, at + 65528)));
    }

    socket.write(record(STDOUT, request.id, Buffer.alloc(0)));
    socket.write(record(END, request.id, Buffer.alloc(8)));

    if (!request.keep) {
        socket.end();
    }
}


function take(socket, requests, type, id, body) {
    const request = requests[id];

    if (type === BEGIN) {
        requests[id] = { id, keep: body[2] & 1, params: [], stdin: [] };

    } else if (!request) {
        socket.destroy();

    } else if (type === PARAMS) {
        request.params.push(body);

    } else if (type === STDIN && body.length) {
        request.stdin.push(body);

    } else if (type === STDIN) {
        delete requests[id];
        answer(socket, request);
    }
}


function connection(socket) {
    const requests = {};
    let data = Buffer.alloc(0);

    socket.on('error', () => {});

    socket.on('data', (piece) => {
        data = Buffer.concat([data, piece]);

        while (data.length >= 8) {
            const length = data.readUInt16BE(4);
            const whole = 8 + length + data[6];

            if (data.length < whole) {
                return;
            }

            take(socket, requests, data[1], data.readUInt16BE(2),
                 data.subarray(8, 8 + length));
            data = data.subarray(whole);
        }
    });
}


listen(net.createServer(connection)).then((port) => serve({ port }, () => {}));
