// A certification authority that takes nothing but correct requests, and that
// fails as it is told: class Ca in ../authority.py tells what it does.

'use strict';

const crypto = require('crypto');
const https = require('https');

const jose = require('./ca_jose.js');
const { Flow } = require('./ca_flow.js');
const { Issuer } = require('./ca_issue.js');
const { fail } = require('./ca_fault.js');
const { options, serve, listen } = require('./peer.js');

const { Problem, malformed } = jose;

const BODY_MAX = 128 * 1024;
const NONCES_MAX = 10000;

const DEFAULTS = {
    ari: true, ari_window: [0.6, 0.7], ari_retry: 21600,
    address: '127.0.0.1', http_port: 80, tls_port: 443, resolver: null,
    backdate: 0, bad_nonce: 0, chain: null, eab: null, max_names: 100,
    not_after: false, order_life: 3600, processing: 0, profiles: null,
    caa: ['ca.test'], domains: ['ca.test'], spoil: false,
    rejected: [], retry_after: {}, retry_dates: false, reuse_authz: false,
    reuse_orders: true, skew: 0, terms: 1, validate: false, validation: 0,
    vantage: ['127.0.0.1'],
    validity: 90 * 86400, types: ['http-01', 'tls-alpn-01', 'dns-01']
};

// sign: by whose key: "jwk", "kid" or "both".  payload: "" is POST-as-GET,
// "{}" an object, "any" either, "JWS" for keyChange.
const ROUTES = [
    ['directory', /^\/dir$/, ['GET']],
    ['newNonce', /^\/nonce$/, ['HEAD', 'GET']],
    ['renewalInfo', /^\/ari\/([\w.-]+)$/, ['GET']],
    ['newAccount', /^\/account-new$/, ['POST'], 'jwk', '{}'],
    ['account', /^\/account\/(\d+)$/, ['POST'], 'kid', 'any'],
    ['accountOrders', /^\/account-orders\/(\d+)$/, ['POST'], 'kid', ''],
    ['keyChange', /^\/key-change$/, ['POST'], 'kid', 'JWS'],
    ['newOrder', /^\/order-new$/, ['POST'], 'kid', '{}'],
    ['order', /^\/order\/(\d+)$/, ['POST'], 'kid', ''],
    ['finalize', /^\/finalize\/(\d+)$/, ['POST'], 'kid', '{}'],
    ['authz', /^\/authz\/(\d+)$/, ['POST'], 'kid', 'any'],
    ['challenge', /^\/chall\/(\d+\.\d+)$/, ['POST'], 'kid', 'any'],
    ['certificate', /^\/cert\/(\d+(?:\.\d+)?)$/, ['POST'], 'kid', ''],
    ['revokeCert', /^\/revoke$/, ['POST'], 'both', '{}']
].map(([name, path, methods, sign, payload]) =>
    ({ name, path, methods, sign, payload }));


let settings, flow, nonces, faults, held, log, random;
let issuer, base;


// mulberry32: the same refusals for the same seed
function generator(seed) {
    let a = seed >>> 0;

    return () => {
        a = (a + 0x6d2b79f5) | 0;
        let t = Math.imul(a ^ (a >>> 15), 1 | a);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}


function newNonce() {
    const nonce = crypto.randomBytes(16).toString('base64url');

    nonces.add(nonce);
    if (nonces.size > NONCES_MAX) {
        nonces.delete(nonces.values().next().value);
    }

    return nonce;
}


function takeNonce(nonce) {
    if (typeof nonce !== 'string' || !/^[A-Za-z0-9_-]+$/.test(nonce)) {
        throw malformed('nonce is missing or not base64url');
    }
    if (!nonces.delete(nonce) || random() * 100 < settings.bad_nonce) {
        throw new Problem(400, 'badNonce', 'nonce is not one of ours, or old');
    }
}


// RFC 8555 section 6: what a request must be before anybody looks at what it
// asks for.

function checkHeaders(req, body) {
    if (!req.headers['user-agent']) {
        throw malformed('no User-Agent');
    }
    if (req.headers['replay-nonce']) {
        throw malformed('Replay-Nonce in a request');
    }
    if (req.method !== 'POST') {
        return;
    }
    if (req.headers['content-type'] !== 'application/jose+json') {
        throw new Problem(415, 'malformed', 'Content-Type is not '
                          + 'application/jose+json');
    }
    if (req.headers['content-length'] === undefined) {
        throw new Problem(411, 'malformed', 'no Content-Length');
    }
    if (body.length > BODY_MAX) {
        throw new Problem(413, 'malformed', 'too large');
    }
}


function signerOf(route, header) {
    if (('jwk' in header) === ('kid' in header)) {
        throw malformed('exactly one of jwk and kid is wanted');
    }

    const kind = 'jwk' in header ? 'jwk' : 'kid';

    if (route.sign !== 'both' && route.sign !== kind) {
        throw malformed(`${kind} where ${route.sign} is wanted`);
    }
    if (kind === 'jwk') {
        return { jwk: header.jwk, key: jose.readKey(header.jwk) };
    }

    const account = flow.accounts.find(
        (a) => flow.url('account', a.id) === header.kid);

    if (!account) {
        throw new Problem(400, 'accountDoesNotExist', 'no such account');
    }

    return { account, jwk: account.jwk, key: account.key };
}


function payloadOf(route, data) {
    if (data.length === 0) {
        if (!['', 'any'].includes(route.payload)) {
            throw malformed('payload is empty');
        }
        return null;
    }

    if (route.payload === '') {
        throw malformed('payload of POST-as-GET is not empty');
    }

    const value = jose.parseObject(data, 'payload');

    if ('resource' in value) {
        throw malformed('"resource" is of an old draft');
    }

    return value;
}


function open(call, route, body) {
    const jws = jose.parse(jose.parseObject(body, 'body'));

    Object.assign(call, signerOf(route, jws.header));
    jose.verify(jws, call.jwk, call.key);
    takeNonce(jws.header.nonce);

    if (jws.header.url !== call.url) {
        throw new Problem(403, 'unauthorized', 'url is not the one asked for');
    }
    if ('crit' in jws.header || 'b64' in jws.header) {
        throw malformed('unknown critical header');
    }
    if (call.account && call.account.status !== 'valid') {
        throw new Problem(401, 'unauthorized', 'account is deactivated');
    }

    call.payload = payloadOf(route, jws.payload);
}


// Which names a request is about, for the log and for faults of one name.
function namesOf(call) {
    const first = (call.id || '').split('.')[0];
    const n = Number(first) - 1;
    const list = (identifiers) => (Array.isArray(identifiers) ? identifiers
        : []).map((i) => i && i.value);

    switch (call.route) {
    case 'newOrder':
        return list(call.payload && call.payload.identifiers);
    case 'order':
    case 'finalize':
        return flow.orders[n] ? list(flow.orders[n].identifiers) : [];
    case 'authz':
    case 'challenge':
        return flow.authzs[n] ? list([flow.authzs[n].identifier]) : [];
    case 'certificate':
        return flow.certs[n] ? flow.certs[n].names : [];
    case 'renewalInfo':
        return flow.byAri.has(call.id) ? flow.byAri.get(call.id).names : [];
    default:
        return [];
    }
}


// Answers

function send(res, answer) {
    const body = answer.text !== undefined ? Buffer.from(answer.text)
        : answer.body ? Buffer.from(JSON.stringify(answer.body))
        : Buffer.alloc(0);
    const links = [`<${base}/dir>;rel="index"`]
        .concat((answer.headers || {}).Link || []);

    const headers = Object.assign({
        'Content-Type': answer.type || 'application/json',
        'Content-Length': body.length, 'Replay-Nonce': newNonce(),
        Date: new Date(Date.now() + settings.skew * 1000).toUTCString()
    }, answer.headers, { Link: links });

    res.sendDate = false;
    res.writeHead(answer.status, headers);
    res.end(res.req.method === 'HEAD' ? undefined : body);
}


function problemAnswer(e) {
    if (!(e instanceof Problem)) {
        e = new Problem(500, 'serverInternal', String(e && e.stack || e));
    }

    return { status: e.status, body: e.body, headers: e.headers,
             type: 'application/problem+json' };
}


function takeFault(call) {
    for (const fault of faults) {
        if ((fault.endpoint !== '*' && fault.endpoint !== call.route)
            || (fault.name && !call.names.includes(fault.name)))
        {
            continue;
        }

        if (fault.skip > 0) {
            fault.skip--;
            continue;
        }

        fault.used++;
        if (fault.times > 0 && fault.used === fault.times) {
            faults.splice(faults.indexOf(fault), 1);
        }

        return fault;
    }

    return null;
}


function work(call, handler) {
    try {
        return handler.call(flow, call);
    } catch (e) {
        return problemAnswer(e);
    }
}


function handle(req, res, body) {
    const route = ROUTES.find((r) => r.path.test(req.url));
    const entry = { n: log.length + 1, time: Date.now() / 1000,
                    endpoint: route ? route.name : null, method: req.method,
                    path: req.url, agent: req.headers['user-agent'] };
    const call = { method: req.method, url: base + req.url,
                   accept: req.headers.accept };

    log.push(entry);

    const finish = (answer) => {
        entry.status = answer.status;
        if (answer.status >= 400 && answer.body) {
            entry.error = answer.body.type.split(':').pop();
            entry.detail = answer.body.detail;
        }
        send(res, answer);
    };

    try {
        checkHeaders(req, body);

        if (!route) {
            throw new Problem(404, 'malformed', 'nothing here');
        }
        if (!route.methods.includes(req.method)) {
            throw new Problem(405, 'malformed', 'method is not allowed');
        }

        call.route = route.name;
        call.id = route.path.exec(req.url)[1];

        if (req.method === 'POST') {
            open(call, route, body);
        }
    } catch (e) {
        finish(problemAnswer(e));
        return;
    }

    entry.names = call.names = namesOf(call);
    entry.payload = call.payload;
    entry.account = call.account && call.account.id;

    const fault = takeFault(call);
    const carry = () => work(call, flow[route.name]);

    if (fault) {
        entry.fault = fault.kind;
        fail({ fault, req, res, base, held, carry, finish, entry });
    } else {
        finish(carry());
    }
}


function receive(req, res) {
    const pieces = [];
    let size = 0;

    req.on('error', () => {});
    res.on('error', () => {});

    req.on('data', (piece) => {
        size += piece.length;
        if (size <= BODY_MAX + 1) {
            pieces.push(piece);
        }
    });

    req.on('end', () => handle(req, res, Buffer.concat(pieces)));
}


// Commands

function reset() {
    for (const one of held || []) {
        one.res.destroy();
    }

    settings = Object.assign(settings || {}, DEFAULTS, options.settings);
    faults = [];
    held = [];
    log = [];
    random = generator(options.seed || 1);
}


const COMMANDS = {
    set: (c) => {
        for (const name in c.settings) {
            if (!(name in DEFAULTS)) {
                throw new Error('no setting ' + name);
            }
        }
        Object.assign(settings, c.settings);
    },

    fault: (c) => {
        faults.push(Object.assign({ times: 1, skip: 0, used: 0 }, c.fault));
    },

    clear: () => {
        faults = [];
    },

    // goes on with what was held; or lets it die without an answer
    release: (c) => {
        for (const one of held.splice(0)) {
            if (c.drop) {
                one.res.destroy();
            } else {
                one.go();
            }
        }
    },

    held: () => ({ held: held.length }),

    log: (c) => ({ log: log.slice(c.since || 0) }),

    counts: () => {
        const counts = {};
        for (const one of log) {
            counts[one.endpoint] = (counts[one.endpoint] || 0) + 1;
        }
        return { counts };
    },

    orders: () => ({ orders: flow.orders.map((o) => ({
        id: o.id, names: o.identifiers.map((i) => i.value), status: o.status,
        replaces: o.replaces, profile: o.profile, account: o.account.id,
        notAfter: o.notAfter, serial: o.cert && o.cert.serial
    })) }),

    certs: () => ({ certs: flow.certs.map((c) => ({
        serial: c.serial, names: c.names, ari: c.ari, from: c.from, to: c.to,
        revoked: c.revoked === undefined ? null : c.revoked,
        order: c.order.id
    })) }),

    accounts: () => ({ accounts: flow.accounts.map((a) => ({
        id: a.id, status: a.status, contact: a.contact, thumbprint: a.mark
    })) }),

    give: (c) => ({ given: c.names.map(
        (names) => flow.give(flow.accounts[c.account - 1], names)) }),

    window: (c) => {
        const cert = flow.certs.find((one) => one.serial === c.serial);
        cert.window = [c.start, c.end];
        cert.explanation = c.explanation;
    },

    // as a CA that was set up anew: it knows nobody and signed nothing
    forget: () => {
        flow = new Flow(base, issuer, settings);
    },

    reset
};


async function command(c) {
    return (Object.hasOwn(COMMANDS, c.command)
        ? COMMANDS[c.command](c) : { error: 'no such command' }) || {};
}


async function main() {
    const server = https.createServer({ key: options.key, cert: options.cert,
                                        keepAliveTimeout: 60000 }, receive);

    server.on('clientError', (e, socket) => socket.destroy());
    server.on('tlsClientError', () => {});

    const port = await listen(server);

    base = `https://${options.name}:${port}`;
    issuer = new Issuer(options.roots || 2);
    nonces = new Set();
    reset();
    flow = new Flow(base, issuer, settings);
    serve({ directory: base + '/dir', port,
            roots: issuer.roots.map((r) => r.pem) }, command);
}


main();
