// A server that is asked whether requests may pass ("auth-url"): it answers as
// it was told to for a path, and remembers what it was sent.

'use strict';

const http = require('http');

const { serve, listen } = require('./peer.js');


const answers = new Map();
let seen = [];
let waiting = [];
let sockets = 0;


function answer(req, res) {
    const url = new URL(req.url, 'http://auth');
    const say = answers.get(url.pathname) || { status: 404 };
    const chunks = [];

    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
        seen.push({ method: req.method, url: req.url, raw: req.rawHeaders,
                    headers: req.headers, socket: req.socket.number,
                    body: Buffer.concat(chunks).toString() });

        const send = () => {
            if (say.destroy) {
                req.socket.destroy();
                return;
            }

            // pairs: a name may be there more than once
            res.writeHead(say.status, (say.headers || []).flat());
            res.end(say.body || '');
        };

        if (say.hold) {
            waiting.push(send);
        } else {
            send();
        }
    });
}


function command(ask) {
    switch (ask.command) {
    case 'set':
        answers.set(ask.path, ask.answer);
        return {};
    case 'seen': {
        const all = seen;
        seen = [];
        return { seen: all };
    }
    case 'waiting':
        return { waiting: waiting.length };
    case 'release': {
        const all = waiting;
        waiting = [];
        all.forEach((send) => send());
        return { released: all.length };
    }
    }

    return { error: `no such command: ${ask.command}` };
}


const server = http.createServer(answer);

server.on('connection', (socket) => { socket.number = ++sockets; });
server.keepAliveTimeout = 60000;

listen(server).then((port) => serve({ port }, command));
