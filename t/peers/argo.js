// A server of Argo CD's shape: one port that speaks gRPC on HTTP/2 without
// TLS, and gRPC-web, REST, server-sent events and WebSocket on HTTP/1.1; and a
// second port with gRPC over TLS.

'use strict';

const http = require('http');
const net = require('net');

const grpc = require('@grpc/grpc-js');
const { connectNodeAdapter } = require('@connectrpc/connect-node');
const { Code, ConnectError } = require('@connectrpc/connect');
const { WebSocketServer } = require('ws');

const { options, serve, listen } = require('./peer.js');
const { App, WebApp } = require('./proto.js');


const events = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));


// gRPC

function reply(call, wish, bytes, text) {
    return {
        text: text !== undefined ? text : wish.text,
        data: Buffer.alloc(wish.size || 0, 'x'),
        bytes,
        seen: JSON.stringify({
            authority: call.getHost(),
            path: call.getPath(),
            metadata: call.metadata.getMap()
        })
    };
}


function trailer() {
    const metadata = new grpc.Metadata();
    metadata.set('x-trailer', 'bye');
    metadata.set('x-trailer-bin', Buffer.from([0, 1, 254, 255]));
    return metadata;
}


function initial(call) {
    const metadata = new grpc.Metadata();
    metadata.set('x-initial', 'hello');
    call.sendMetadata(metadata);
}


function failure(wish) {
    return { code: wish.fail, details: 'nö: ' + wish.text,
             metadata: trailer() };
}


// grpc-js says "cancelled" of calls that have ended well, too.

function track(call, name) {
    call.on('cancelled', () => {
        if (!call.over) {
            events.push(name + ' cancelled');
        }
    });
    call.on('error', () => {});
}


async function get(call, done) {
    const wish = call.request;

    track(call, 'get ' + wish.text);
    await sleep(wish.pause);
    if (call.cancelled) {
        return;
    }

    call.over = true;

    if (wish.fail) {
        done(failure(wish));
        return;
    }

    initial(call);
    done(null, reply(call, wish, wish.data.length), trailer());
}


async function watch(call) {
    const wish = call.request;

    track(call, 'watch ' + wish.text);
    initial(call);

    for (let i = 0; i < wish.count && !call.cancelled; i++) {
        await sleep(wish.pause);
        if (!call.write(reply(call, wish, 0, wish.text + i))) {
            await new Promise((go) => call.once('drain', go));
        }
    }

    call.over = true;

    if (wish.fail) {
        call.emit('error', failure(wish));
        return;
    }

    call.end(trailer());
}


function collect(call, done) {
    let bytes = 0;
    let n = 0;

    track(call, 'collect');

    call.on('data', (wish) => {
        bytes += wish.data.length;
        n++;
    });

    call.on('end', () => {
        call.over = true;
        done(null, reply(call, { text: String(n) }, bytes), trailer());
    });
}


function chat(call) {
    track(call, 'chat');
    initial(call);

    call.on('data', (wish) => {
        call.write(reply(call, wish, wish.data.length));
    });

    call.on('end', () => {
        call.over = true;
        call.end(trailer());
    });
}


function grpcServer() {
    const server = new grpc.Server({
        'grpc.max_receive_message_length': -1,
        'grpc.max_send_message_length': -1
    });

    server.addService(App.service, { get, watch, collect, chat });
    return server;
}


// gRPC-web: the same methods for browsers

function webReply(wish, text) {
    return { text, data: Buffer.alloc(wish.size), bytes: BigInt(
        wish.data.length) };
}


const web = connectNodeAdapter({
    grpc: false, connect: false, grpcWeb: true,
    routes: (router) => router.service(WebApp, {

        async get(wish, context) {
            if (wish.fail) {
                throw new ConnectError('nö: ' + wish.text, Code.Aborted,
                                       { 'x-trailer': 'bye' });
            }
            context.responseTrailer.set('x-trailer', 'bye');
            return webReply(wish, wish.text);
        },

        async *watch(wish) {
            for (let i = 0; i < wish.count; i++) {
                await sleep(wish.pause);
                yield webReply(wish, wish.text + i);
            }
        }
    })
});


// What else is on the port

async function sendEvents(req, res, query) {
    const n = Number(query.get('count') || 5);
    const headers = { 'Content-Type': query.get('type') || 'text/event-stream',
                      'Cache-Control': 'no-cache' };

    res.writeHead(200, headers);
    res.flushHeaders();

    for (let i = 0; i < n && !res.destroyed; i++) {
        await sleep(Number(query.get('pause') || 0));
        res.write(`id: ${i}\ndata: event ${i}\n\n`);
    }

    res.end();
}


async function rest(req, res) {
    const url = new URL(req.url, 'http://localhost');

    req.on('error', () => {});
    res.on('error', () => {});

    if (/^application\/grpc-web/.test(req.headers['content-type'] || '')) {
        web(req, res);
        return;
    }

    res.on('close', () => {
        events.push(`${url.pathname} ${res.writableFinished
                                       ? 'done' : 'aborted'}`);
    });

    if (url.pathname === '/events') {
        await sendEvents(req, res, url.searchParams);
        return;
    }

    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ target: req.url, headers: req.headers }));
}


function terminal(ws) {
    ws.on('error', () => {});
    ws.on('ping', () => events.push('ws ping'));
    ws.on('close', (code) => events.push('ws closed ' + code));

    ws.on('message', (data, binary) => {
        const close = /^close (\d+) (.*)$/.exec(binary ? '' : String(data));

        if (close) {
            ws.close(Number(close[1]), close[2]);
            return;
        }

        ws.send(data, { binary });
    });
}


function httpServer() {
    const server = http.createServer({ keepAliveTimeout: 0,
                                       requestTimeout: 0 }, rest);
    const sockets = new WebSocketServer({
        server, path: '/terminal', perMessageDeflate: { threshold: 64 },
        handleProtocols: (offered) => [...offered][0]
    });

    server.keepAliveTimeout = 0;
    sockets.on('connection', terminal);
    sockets.on('error', () => {});
    return server;
}


// A connection that begins as HTTP/2 does is gRPC's, any other is HTTP/1.1.

function both(injector, web1) {
    return net.createServer({ pauseOnConnect: true }, (socket) => {
        socket.setNoDelay(true);
        socket.on('error', () => {});

        socket.once('readable', () => {
            const data = socket.read();

            if (!data) {
                return;
            }

            socket.unshift(data);
            socket.pause();

            if (data.subarray(0, 3).toString() === 'PRI') {
                injector.injectConnection(socket);
            } else {
                web1.emit('connection', socket);
            }
        });

        socket.read(0);
    });
}


async function main() {
    const plain = grpcServer();
    const secure = grpcServer();
    const injector = plain.createConnectionInjector(
        grpc.ServerCredentials.createInsecure());
    const port = await listen(both(injector, httpServer()));

    const tls = await new Promise((done, fail) => secure.bindAsync(
        `${options.host}:0`, grpc.ServerCredentials.createSsl(null, [{
            private_key: Buffer.from(options.key),
            cert_chain: Buffer.from(options.cert)
        }]), (e, p) => e ? fail(e) : done(p)));

    serve({ port, tls }, (command) => {
        if (command.command === 'events') {
            return { events: events.splice(0) };
        }
    });
}


main();
