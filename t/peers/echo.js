// The echo backend: class Echo in ../peer.py tells what it does.

'use strict';

const crypto = require('crypto');
const http = require('http');
const https = require('https');

const { options, serve, listen } = require('./peer.js');


const counts = {};             // of a port's targets
const settings = {};
const servers = {};


function pairs(raw) {
    const out = [];

    for (let i = 0; i < raw.length; i += 2) {
        out.push([raw[i], raw[i + 1]]);
    }

    return out;
}


function tlsOf(socket) {
    if (!socket.encrypted) {
        return null;
    }

    const peer = socket.getPeerCertificate();

    return {
        sni: socket.servername || null,
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        client: peer && peer.subject ? peer.subject.CN : null,
        authorized: socket.authorized,
        reused: socket.isSessionReused()
    };
}


function seen(server, req, length, sha256) {
    return {
        name: server.label,
        port: server.port,
        method: req.method,
        target: req.url,
        version: req.httpVersion,
        headers: pairs(req.rawHeaders),
        chunked: /chunked/i.test(req.headers['transfer-encoding'] || ''),
        length,
        sha256,
        remote: req.socket.remotePort,
        tls: tlsOf(req.socket)
    };
}


function orders(server, req) {
    let asked = {};

    try {
        asked = JSON.parse(req.headers['x-echo'] || '{}');
    } catch (e) {
        asked = { status: 400, body: 'X-Echo is not JSON' };
    }

    return Object.assign({}, settings[server.port], asked);
}


function bodyOf(order, text) {
    if (order.size !== undefined) {
        return Buffer.alloc(order.size, 'x');
    }

    return Buffer.from(order.body !== undefined ? order.body : text);
}


function write(res, order, body) {
    const n = order.chunks || 1;
    const step = Math.ceil(body.length / n);
    let i = 0;

    function next() {
        if (order.cut && i * 2 >= n) {
            res.socket.destroy();
            return;
        }

        if (i === n) {
            if (order.trailers) {
                res.addTrailers(order.trailers);
            }
            res.end();
            return;
        }

        res.write(body.subarray(i * step, (i + 1) * step));
        i++;
        setTimeout(next, order.pause || 0);
    }

    res.flushHeaders();
    next();
}


function answer(server, req, res, order, body) {
    const headers = Object.assign({ 'Content-Type': 'application/json' },
                                  order.headers);
    const streamed = order.chunked || order.trailers;

    if (!streamed && headers['Content-Length'] === undefined) {
        headers['Content-Length'] = body.length;
    }

    for (const name in headers) {
        res.setHeader(name, headers[name]);
    }

    res.writeHead(order.status || 200, order.reason || undefined);

    if (req.method === 'HEAD' || [204, 304].includes(order.status)) {
        res.end();

    } else if (order.chunks || order.cut || streamed) {
        write(res, order, body);

    } else {
        res.end(body);
    }
}


function handle(server, req, res) {
    const order = orders(server, req);
    const hash = crypto.createHash('sha256');
    let length = 0;
    let done = false;

    counts[server.port] ||= {};
    counts[server.port][req.url] = (counts[server.port][req.url] || 0) + 1;

    function finish() {
        if (done || res.destroyed) {
            return;
        }

        done = true;

        if (order.close) {
            req.socket.destroy();
            return;
        }

        const text = JSON.stringify(seen(server, req, length,
                                         hash.copy().digest('hex')));
        answer(server, req, res, order, bodyOf(order, text));
    }

    function later() {
        setTimeout(finish, order.delay || 0);
    }

    req.on('error', () => {});
    res.on('error', () => {});

    req.on('data', (data) => {
        length += data.length;
        hash.update(data);
    });

    if (order.early) {
        later();

    } else {
        req.on('end', later);
    }
}


function create(label, secure, extra) {
    const common = {
        maxHeaderSize: 1 << 20, keepAliveTimeout: 0, requestTimeout: 0,
        headersTimeout: 0
    };
    const server = secure
        ? https.createServer(Object.assign(common, secure))
        : http.createServer(common);

    server.label = label;
    server.keepAliveTimeout = 0;
    server.maxRequestsPerSocket = 0;
    server.on('request', (req, res) => handle(server, req, res));
    server.on('clientError', (e, socket) => socket.destroy());

    return Object.assign(server, extra);
}


async function open(server, port) {
    server.port = await listen(server, port);
    servers[server.port] = server;
    return server.port;
}


async function reset() {
    for (const port in servers) {
        delete counts[port];
        delete settings[port];

        if (!servers[port].listening) {
            await open(servers[port], port);
        }
    }
}


async function command(c) {
    if (c.command === 'set') {
        settings[c.port] = c.options;

    } else if (c.command === 'count') {
        return { counts };

    } else if (c.command === 'close') {
        servers[c.port].close();
        servers[c.port].closeAllConnections();

    } else if (c.command === 'open') {
        await open(servers[c.port], c.port);

    } else if (c.command === 'reset') {
        await reset();
    }

    return {};
}


async function main() {
    const hello = { http: [] };
    const tls = { key: options.key, cert: options.cert };

    for (let i = 0; i < options.addresses; i++) {
        hello.http.push(await open(create('http' + i), 0));
    }

    hello.https = await open(create('https', tls), 0);
    hello.mtls = await open(create('mtls', Object.assign(
        { ca: options.ca, requestCert: true, rejectUnauthorized: true },
        tls)), 0);

    serve(hello, command);
}


main();
