// Clients of argo.js: each line of input names one and what it shall do, the
// answer says what it saw.  Judging is the tests'.

'use strict';

const http = require('http');
const https = require('https');

const grpc = require('@grpc/grpc-js');
const { Code, ConnectError, createClient } = require('@connectrpc/connect');
const { createGrpcWebTransport } = require('@connectrpc/connect-node');
const WebSocket = require('ws');

const { options, serve } = require('./peer.js');
const { App, WebApp } = require('./proto.js');


const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const ca = Buffer.from(options.ca);


// gRPC.  o: port, host, tls, method, wish, deadline, cancel, sends, rounds

function grpcClient(o) {
    const credentials = o.tls ? grpc.credentials.createSsl(ca)
                              : grpc.credentials.createInsecure();

    return new App('127.0.0.1:' + o.port, credentials, {
        'grpc.default_authority': o.host,
        'grpc.ssl_target_name_override': o.host,
        'grpc.max_receive_message_length': -1,
        'grpc.enable_retries': 0,
        'grpc.use_local_subchannel_pool': 1
    });
}


function metadataOf(o) {
    const metadata = new grpc.Metadata();

    for (const name in o.metadata || {}) {
        metadata.set(name, name.endsWith('-bin')
            ? Buffer.from(o.metadata[name], 'base64') : o.metadata[name]);
    }

    return metadata;
}


function wishOf(o) {
    const wish = Object.assign({}, o.wish);

    if (wish.send) {
        wish.data = Buffer.alloc(wish.send, 'y');
        delete wish.send;
    }

    return wish;
}


function plainMap(metadata) {
    const out = metadata.getMap();

    for (const name in out) {
        if (Buffer.isBuffer(out[name])) {
            out[name] = out[name].toString('base64');
        }
    }

    return out;
}


function replyOf(reply) {
    return { text: reply.text, size: reply.data.length, bytes: reply.bytes,
             seen: reply.seen ? JSON.parse(reply.seen) : null };
}


// One call of any shape, start to end.

function call(o) {
    const client = grpcClient(o);
    const extra = o.deadline ? { deadline: Date.now() + o.deadline } : {};
    const streams = ['collect', 'chat'].includes(o.method);
    const out = { replies: [], times: [] };
    const began = Date.now();

    return new Promise((done) => {
        let one;

        function add(reply) {
            out.replies.push(replyOf(reply));
            out.times.push(Date.now() - began);
        }

        function unary(e, reply) {
            if (reply) {
                add(reply);
            }
        }

        if (streams) {
            one = o.method === 'chat'
                ? client.chat(metadataOf(o), extra)
                : client.collect(metadataOf(o), extra, unary);
            feed(one, o, out);

        } else if (o.method === 'watch') {
            one = client.watch(wishOf(o), metadataOf(o), extra);

        } else {
            one = client.get(wishOf(o), metadataOf(o), extra, unary);
        }

        if (['chat', 'watch'].includes(o.method)) {
            one.on('data', add);
            one.on('error', () => {});
        }

        one.on('metadata', (m) => { out.initial = plainMap(m); });

        one.on('status', (status) => {
            out.code = status.code;
            out.details = status.details;
            out.trailers = plainMap(status.metadata);
            out.took = Date.now() - began;
            client.close();

            // the last message may be handed out after the status
            setImmediate(() => done(out));
        });

        if (o.cancel) {
            setTimeout(() => one.cancel(), o.cancel);
        }
    });
}


// Client streams: so many messages at once, or each after the last's answer.

async function feed(stream, o) {
    const wish = wishOf(o);

    stream.on('error', () => {});

    for (let i = 0; i < (o.sends || 1); i++) {
        if (!stream.write(Object.assign({}, wish, { text: 'm' + i }))) {
            await new Promise((go) => stream.once('drain', go));
        }

        if (o.method === 'chat' && !o.blind) {
            await new Promise((go) => stream.once('data', go));
        }

        if (o.pause) {
            await sleep(o.pause);
        }
    }

    stream.end();
}


// gRPC-web.  o: port, host, tls, version ('1.1' or '2'), method, wish

async function web(o) {
    const transport = createGrpcWebTransport({
        baseUrl: `${o.tls ? 'https' : 'http'}://${o.host}:${o.port}`,
        httpVersion: o.version,
        nodeOptions: { ca, lookup }
    });
    const client = createClient(WebApp, transport);
    const out = { replies: [], times: [] };
    const began = Date.now();
    const extra = { onTrailer: (t) => {
        out.trailers = Object.fromEntries(t);
    } };

    function add(reply) {
        out.replies.push({ text: reply.text, size: reply.data.length });
        out.times.push(Date.now() - began);
    }

    try {
        if (o.method === 'watch') {
            for await (const reply of client.watch(wishOf(o), extra)) {
                add(reply);
            }

        } else {
            add(await client.get(wishOf(o), extra));
        }

    } catch (e) {
        const error = ConnectError.from(e);
        out.code = Code[error.code];
        out.message = error.rawMessage;
        out.metadata = Object.fromEntries(error.metadata);
    }

    return out;
}


// Every name is here; what it is called decides SNI and Host alone.

function lookup(name, how, done) {
    done(null, how.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1',
         4);
}


// WebSocket.  o: port, host, tls, path, protocols, sends, binary, ping, close,
// idle, every

function open(o) {
    const scheme = o.tls ? 'wss' : 'ws';

    return new WebSocket(`${scheme}://${o.host}:${o.port}${o.path
        || '/terminal'}`, o.protocols || [], {
        ca, lookup, perMessageDeflate: { threshold: 64 }
    });
}


function socket(o) {
    const ws = open(o);
    const out = { texts: [], sizes: [], pongs: 0 };
    const began = Date.now();

    return new Promise((done) => {
        function check() {
            const want = (o.sends || []).length + (o.binary ? 1 : 0);

            if (out.texts.length + out.sizes.length < want
                || out.pongs < (o.ping ? 1 : 0) || o.idle)
            {
                return;
            }

            if (o.close) {
                ws.send('close ' + o.close);
            } else {
                ws.close(1000);
            }
        }

        ws.on('open', () => {
            out.protocol = ws.protocol;
            out.extensions = ws.extensions;
            (o.sends || []).forEach((text) => ws.send(text));

            if (o.binary) {
                ws.send(Buffer.alloc(o.binary, 'z'));
            }

            if (o.ping) {
                ws.ping();
            }

            if (o.every) {
                const timer = setInterval(() => ws.ping(), o.every);
                ws.on('close', () => clearInterval(timer));
            }

            if (o.idle) {
                setTimeout(() => { o.idle = 0; check(); }, o.idle).unref();
            }

            check();
        });

        ws.on('message', (data, binary) => {
            if (binary) {
                out.sizes.push(data.length);
            } else {
                out.texts.push(String(data));
            }
            check();
        });

        ws.on('pong', () => { out.pongs++; check(); });

        ws.on('unexpected-response', (req, res) => {
            res.resume();
            done(Object.assign(out, { status: res.statusCode }));
            ws.terminate();
        });

        ws.on('error', (e) => { out.error = String(e.message); });

        ws.on('close', (code, reason) => done(Object.assign(out, {
            code, reason: String(reason), took: Date.now() - began
        })));
    });
}


// Server-sent events.  o: port, host, tls, path, abort (ms)

function request(o, path, heard) {
    const module = o.tls ? https : http;

    return module.request({
        port: o.port, host: '127.0.0.1', path, ca, servername: o.host,
        agent: o.agent || false,
        headers: Object.assign({ Host: o.host }, o.headers)
    }, heard).end();
}


function sse(o) {
    const out = { events: [], times: [] };
    const began = Date.now();

    return new Promise((done) => {
        const req = request(o, o.path, (res) => {
            out.status = res.statusCode;
            out.headers = res.headers;

            res.on('data', (data) => {
                for (const line of String(data).split('\n')) {
                    if (line.startsWith('data: ')) {
                        out.events.push(line.slice(6));
                        out.times.push(Date.now() - began);
                    }
                }
            });

            res.on('error', () => {});
            res.on('close', () => done(Object.assign(out, {
                complete: res.complete
            })));
        });

        req.on('error', (e) => done(Object.assign(out, { failed: e.code })));

        if (o.abort) {
            setTimeout(() => req.destroy(), o.abort);
        }
    });
}


// What is held open over changes: a WebSocket that talks, events, a gRPC chat,
// and clients that ask again and again on connections kept alive.  The answer
// to "release" is what each saw; errors is empty if nothing broke.

let held = null;


function holdSocket(o, state) {
    const ws = open(o);

    state.ws = 0;
    ws.on('message', () => { state.ws++; });
    ws.on('error', (e) => state.errors.push('ws: ' + e.message));
    ws.on('close', (code) => {
        if (state.on) {
            state.errors.push('ws closed: ' + code);
        }
    });

    return new Promise((done) => ws.on('open', () => {
        const timer = setInterval(() => ws.send('tick'), 20);

        state.ends.push(() => { clearInterval(timer); ws.terminate(); });
        done();
    }));
}


function holdEvents(o, state) {
    state.sse = 0;

    return new Promise((done) => {
        const req = request(o, '/events?count=1000000&pause=20', (res) => {
            res.on('data', () => { state.sse++; });
            res.on('error', () => {});
            res.on('close', () => {
                if (state.on) {
                    state.errors.push('sse closed');
                }
            });
            done();
        });

        req.on('error', (e) => {
            if (state.on) {
                state.errors.push('sse: ' + e.message);
            }
        });
        state.ends.push(() => req.destroy());
    });
}


function holdChat(o, state) {
    const client = grpcClient(Object.assign({}, o, { host: o.grpc_host,
                                                     port: o.grpc_port }));
    const chat = client.chat();
    const timer = setInterval(() => chat.write({ text: 'tick' }), 20);

    state.chat = 0;
    chat.on('data', () => { state.chat++; });
    chat.on('error', (e) => {
        if (state.on) {
            state.errors.push('chat: ' + e.message);
        }
    });
    chat.on('end', () => {
        if (state.on) {
            state.errors.push('chat ended');
        }
    });
    state.ends.push(() => {
        clearInterval(timer);
        chat.cancel();
        client.close();
    });

    return new Promise((done) => chat.once('metadata', done));
}


function holdClient(o, state) {
    const module = o.tls ? https : http;
    const agent = new module.Agent({ keepAlive: true, maxSockets: 1 });
    const one = Object.assign({}, o, { agent });

    function again() {
        if (!state.on) {
            agent.destroy();
            return;
        }

        const req = request(one, '/keep', (res) => {
            if (res.statusCode !== 200) {
                state.errors.push('status ' + res.statusCode);
            }
            if (!req.reusedSocket) {
                state.connections++;
            }

            res.resume();
            res.on('end', () => {
                state.requests++;
                setTimeout(again, 1);
            });
        });

        req.on('error', (e) => {
            if (state.on) {
                state.errors.push('request: ' + e.message);
                setTimeout(again, 1);
            }
        });
    }

    again();
}


async function hold(o) {
    held = { on: true, errors: [], ends: [], requests: 0, connections: 0,
             clients: o.clients ?? 4 };

    await Promise.all([holdSocket(o, held), holdEvents(o, held),
                       holdChat(o, held)]);

    for (let i = 0; i < held.clients; i++) {
        holdClient(o, held);
    }

    return {};
}


function seen() {
    const { ws, sse, chat, requests, connections, clients, errors } = held;

    return { ws, sse, chat, requests, connections, clients,
             errors: errors.slice(0, 20) };
}


async function release() {
    const out = seen();

    held.on = false;
    held.ends.forEach((end) => end());
    await sleep(50);

    return out;
}


const commands = { call, web, socket, sse, hold, seen, release };

serve({}, (o) => commands[o.command](o));
