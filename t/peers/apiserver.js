// A stand-in for the Kubernetes API server: class ApiServer in ../cluster.py
// tells what it is asked for, and how its faults are ordered.

'use strict';

const crypto = require('crypto');
const http2 = require('http2');
const https = require('https');

const { options, serve, listen } = require('./peer.js');
const { discover } = require('./kube_discovery.js');
const { KINDS, ofObject } = require('./kube_kinds.js');
const { Request, authenticate, authorize } = require('./kube_request.js');
const { Store, mergePatch, strategicPatch } = require('./kube_store.js');
const { Watch, Writer, destroy, truth } = require('./kube_watch.js');
const s = require('./kube_status.js');


const HTML = '<html><head><title>Sign in</title></head><body>' +
             '<h1>Please sign in</h1></body></html>\n';

Object.assign(options, {
    tokens: options.tokens || {}, rbac: options.rbac || [],
    bookmarks: options.bookmarks === undefined ? 60000 : options.bookmarks,
    streaming: options.streaming || 'on',
    partial: options.partial !== false,
    gone: options.gone || 'event'
});

const state = {
    options, store: new Store(options), watches: new Set(), faults: [],
    records: [], numbers: 0, sockets: new Set(),
    sessions: new Set(), port: 0,
    users: Object.assign({}, options.tokens)
};


// Answers

function headersOf(type, more) {
    return Object.assign({
        'Audit-Id': crypto.randomUUID(), 'Cache-Control': 'no-cache, private',
        'Content-Type': type
    }, more);
}


function text(value, req) {
    return /^(curl|Wget)/.test(req.headers['user-agent'] || '')
        ? JSON.stringify(value, null, 2) : JSON.stringify(value) + '\n';
}


function answer(request, res, code, body, more) {
    const bytes = Buffer.from(body);
    const headers = headersOf(more && more.type || 'application/json',
                              more && more.headers);
    const writer = new Writer(request.req, res, request.plan);

    if (bytes.length < 2048) {
        headers['Content-Length'] = bytes.length;
    }

    request.record.status = code;
    res.writeHead(code, headers);
    writer.write(bytes);
    writer.end();
}


function refuse(request, res, error) {
    if (!(error instanceof s.Refusal)) {
        console.error(error);
        error = new s.Refusal(500, 'InternalError', String(error));
    }

    const more = { headers: Object.assign(
        error.code === 403 ? { 'X-Content-Type-Options': 'nosniff' } : {},
        error.more.headers) };

    answer(request, res, error.code, text(error.status, request.req), more);
}


function page404(request, res) {
    answer(request, res, 404, '404 page not found\n', {
        type: 'text/plain; charset=utf-8',
        headers: { 'X-Content-Type-Options': 'nosniff' } });
}


// Verbs

function found(request) {
    const entry = state.store.get(request.kind, request.namespace,
                                  request.name);

    if (!entry) {
        throw s.notFound(request.kind, request.name);
    }

    return entry;
}


function tokenOf(version, start) {
    return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version,
        start: start + '\u0000' }).replace(/\u0000|\\u0000/g, '\\u0000'))
        .toString('base64url');
}


// The list that a token goes on with: [entries, version]

function continued(request, token) {
    let at;

    try {
        at = JSON.parse(Buffer.from(token, 'base64url').toString());
    } catch (e) {
        throw s.badRequest('invalid continue token: continue key is not ' +
            'valid: invalid character \'\\x81\' looking for beginning of ' +
            'value');
    }

    const start = at.start.replace('\u0000', '').slice(1);

    if (at.rv < 0) {
        return [after(state.store.all(request.kind), start),
                state.store.version];
    }

    const kept = state.store.snapshots.get(at.rv + request.kind.plural);

    if (!kept || request.plan.expire) {
        throw s.expired(tokenOf(-1, '/' + start));
    }

    return [after(kept, start), at.rv];
}


function after(entries, key) {
    return entries.slice(entries.findIndex((e) => e.key > key) >>> 0);
}


function page(request) {
    const query = request.query;
    const token = query.get('continue');
    const limit = Number(query.get('limit') || 0);
    const asked = Number(query.get('resourceVersion') || 0);

    if (asked > state.store.version) {
        throw s.tooLarge(asked, state.store.version);
    }

    const [entries, version] = token
        ? continued(request, token)
        : [state.store.all(request.kind), state.store.version];
    const all = entries.filter((e) => request.matches(e));
    const items = limit ? all.slice(0, limit) : all;
    const meta = { resourceVersion: String(version) };

    if (items.length < all.length) {
        if (!token) {
            state.store.snapshots.set(version + request.kind.plural, entries);
        }

        meta.continue = tokenOf(version, '/' + items[items.length - 1].key);

        if (!query.get('fieldSelector') && !query.get('labelSelector')) {
            meta.remainingItemCount = all.length - items.length;
        }
    }

    return [items, meta];
}


function list(request, res) {
    const [items, meta] = page(request);
    const partial = request.form === 'partial';
    const names = partial ? ['PartialObjectMetadataList', 'meta.k8s.io/v1']
        : [request.kind.kind + 'List', request.kind.apiVersion];
    const whole = `{"kind":"${names[0]}","apiVersion":"${names[1]}",` +
        `"metadata":${JSON.stringify(meta)},"items":[` +
        items.map((e) => partial ? e.partial : e.item).join(',') + ']}\n';

    answer(request, res, 200, /^curl/.test(request.req.headers['user-agent'])
           && items.length < 100 ? text(JSON.parse(whole), request.req)
                                 : whole);
}


function streamable(request) {
    const query = request.query;
    const match = query.get('resourceVersionMatch');
    const initial = query.get('sendInitialEvents');
    const wrong = [];

    if (options.streaming === 'refused' && initial) {
        wrong.push(s.forbidden('sendInitialEvents', 'sendInitialEvents is ' +
            'forbidden for watch unless the WatchList feature gate is ' +
            'enabled'));

    } else if (initial && match !== 'NotOlderThan') {
        wrong.push(s.forbidden('resourceVersionMatch', 'sendInitialEvents ' +
            'requires setting resourceVersionMatch to NotOlderThan'));

    } else if (match && !initial) {
        wrong.push(s.forbidden('resourceVersionMatch', 'resourceVersionMatch ' +
            'is forbidden for watch unless sendInitialEvents is provided'));
    }

    if (wrong.length) {
        throw s.unprocessable('', 'ListOptions', 'meta.k8s.io', wrong);
    }
}


async function watch(request, res) {
    const asked = Number(request.query.get('resourceVersion') || 0);

    streamable(request);

    if (asked > state.store.version) {
        throw s.tooLarge(asked, state.store.version);
    }

    if (options.gone === 'status' && asked > 0 &&
        !request.query.get('sendInitialEvents') &&
        !state.store.since(request.kind, asked))
    {
        throw s.tooOld(asked, state.store.of(request.kind).oldest + 1);
    }

    request.record.status = 200;
    res.writeHead(200, headersOf('application/json'));
    await new Watch(state, request, new Writer(request.req, res,
                                               request.plan)).start();
}


function managerOf(request) {
    return {
        manager: request.query.get('fieldManager') ||
            (request.req.headers['user-agent'] || 'unknown').split('/')[0],
        subresource: request.subresource
    };
}


async function create(request) {
    const body = await request.body();

    if (request.query.get('dryRun')) {
        return [201, body];
    }

    return [201, state.store.create(request.kind, body, managerOf(request))
        .object];
}


async function update(request) {
    const body = await request.body();

    return [200, state.store.update(request.kind, found(request), body,
                                    managerOf(request)).object];
}


// Who may patch may not, by that, create.

function apply(request, body) {
    const force = truth(request.query.get('force'));
    const old = state.store.get(request.kind, request.namespace, request.name);

    if (!old && !authorize(options.rbac, request, 'create')) {
        throw s.denied(request.user, Object.assign(Object.create(request),
                                                   { verb: 'create' }));
    }

    return [old ? 200 : 201, state.store.applied(request.kind, old, body,
        managerOf(request), force).object];
}


async function patch(request) {
    const body = await request.body();

    if (request.apply) {
        return apply(request, body);
    }

    const old = found(request);
    const mine = structuredClone(old.object);
    const asked = (body.metadata || {}).resourceVersion;

    if (!asked) {
        delete mine.metadata.resourceVersion;
    }

    const merged = (request.merge ? mergePatch : strategicPatch)(mine, body);

    return [200, state.store.update(request.kind, old, merged,
                                    managerOf(request)).object];
}


async function remove(request) {
    await request.body();
    const entry = found(request);

    state.store.remove(request.kind, entry);
    return [200, {
        kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success',
        details: s.detailsOf(request.kind, entry.name,
                             { uid: entry.object.metadata.uid })
    }];
}


const WRITES = { create, update, patch, delete: remove,
                 get: (request) => [200, found(request).object] };


async function act(request, res) {
    if (!authorize(options.rbac, request)) {
        throw s.denied(request.user, request);
    }

    request.accept(options.partial);

    if (request.verb === 'list') {
        list(request, res);

    } else if (request.verb === 'watch') {
        await watch(request, res);

    } else if (WRITES[request.verb]) {
        const [code, object] = await WRITES[request.verb](request);
        answer(request, res, code, text(object, request.req));

    } else {
        throw new s.Refusal(405, 'MethodNotAllowed', 'the server does not ' +
            'allow this method on the requested resource');
    }
}


// Faults: {match: {verb, resource, namespace, name, user}, times, do: {…}}

function faultOf(request) {
    const match = (wanted) => Object.keys(wanted || {})
        .every((key) => [].concat(wanted[key]).includes(
            key === 'path' ? request.path : request[key]));
    const found = state.faults.find((f) => f.times !== 0 && match(f.match) &&
        (!f.do.expire || request.query.get('continue')));

    if (!found) {
        return {};
    }

    if (found.times > 0) {
        found.times--;
    }

    return found.do;
}


function fail(request, res, what) {
    const status = what.status;

    if (what.close) {
        request.record.status = 0;
        destroy(request.req);

    } else if (what.hang) {
        request.record.status = 0;

    } else if (what.html) {
        answer(request, res, 200, HTML, { type: 'text/html; charset=utf-8' });

    } else if (what.text !== undefined) {
        answer(request, res, status || 200, what.text, {
            type: what.type || 'text/plain; charset=utf-8',
            headers: what.headers });

    } else {
        refuse(request, res,
               status === 429 ? s.tooMany(what.retryAfter || 1)
             : status === 410 ? s.tooOld(request.query.get('resourceVersion')
                                         || '0', state.store.version)
             : status === 401 ? s.unauthorized()
             : status === 403 ? s.denied(request.user, request)
             : status === 409 ? s.conflict(request.kind, request.name)
             : s.internal(status));
    }
}


function record(req, request, user) {
    const out = {
        n: ++state.numbers, time: Date.now(), method: req.method,
        target: req.url, path: request.path, user, http: req.httpVersion,
        verb: request.verb || null, wrong: request.wrong,
        group: request.kind ? request.kind.group : null,
        resource: request.resource || null,
        namespace: request.namespace || '', name: request.name || '',
        accept: req.headers.accept || '', agent: req.headers['user-agent']
            || '', status: null
    };

    state.records.push(out);
    return out;
}


async function handle(req, res) {
    let request = { req, wrong: [], plan: {} };

    req.on('error', () => {});
    res.on('error', () => {});

    try {
        request.record = { status: 0 };
        request = Object.assign(new Request(req, ''),
                                { record: request.record });
        request.record = record(req, request, '');
        request.user = authenticate(req, state.users);
        request.record.user = request.user;
        request.plan = faultOf(request);

        if (request.kind) {
            request.check();
        }

        if (request.plan.delay) {
            await new Promise((go) => setTimeout(go, request.plan.delay));
        }

        if (['status', 'close', 'hang', 'html', 'text'].some(
            (name) => request.plan[name] !== undefined))
        {
            fail(request, res, request.plan);
            return;
        }

        await route(request, res);

    } catch (e) {
        if (!res.headersSent) {
            refuse(request, res, e);
        } else {
            console.error(e);
        }
    }
}


async function route(request, res) {
    const missing = request.kind && request.kind.crd && !options.crds;

    // rights come before what there is
    if (missing && !authorize(options.rbac, request)) {
        throw s.denied(request.user, request);
    }

    if (request.kind && !missing) {
        await act(request, res);
        return;
    }

    const document = request.req.method === 'GET' &&
                     discover(request.path, options.crds);

    if (document) {
        answer(request, res, 200, text(document, request.req));

    } else if (/^\/(healthz|readyz|livez)$/.test(request.path)) {
        answer(request, res, 200, 'ok', { type: 'text/plain' });

    } else {
        page404(request, res);
    }
}


// Commands

function chosen(match) {
    return [...state.watches].filter((w) => Object.keys(match || {}).every(
        (key) => [].concat(match[key]).includes(w.request[key])));
}


function drop(object) {
    const kind = ofObject(object);
    const namespace = kind.cluster ? ''
                                   : object.metadata.namespace || 'default';
    const entry = state.store.get(kind, namespace, object.metadata.name);

    if (entry) {
        state.store.remove(kind, entry);
    }
}


const commands = {
    change({ steps }) {
        for (const step of steps) {
            if (step.remove) {
                drop(step.remove);
            } else {
                state.store.apply(step);
            }
        }

        return { version: state.store.version };
    },

    get({ resource, namespace, name }) {
        const kind = KINDS.find((k) => k.plural === resource);

        if (name) {
            const entry = state.store.get(kind, namespace, name);
            return { object: entry ? entry.object : null };
        }

        return { objects: state.store.all(kind).map((e) => e.object) };
    },

    requests({ clear }) {
        const records = state.records;

        if (clear) {
            state.records = [];
        }

        return { requests: records };
    },

    // those that the sender is to be blamed for, since the last time
    faulty() {
        const bad = state.records.filter((r) => !r.blamed &&
            (r.wrong.length || r.status === 403 || r.status === 400));

        bad.forEach((r) => {
            r.blamed = true;
        });
        return { requests: bad };
    },

    watches() {
        return { watches: [...state.watches].map((w) => ({
            resource: w.request.resource, namespace: w.request.namespace,
            user: w.request.user, n: w.request.record.n, events: w.events,
            bytes: w.writer.sent, live: !w.pending && !w.writer.frozen
        })), version: state.store.version };
    },

    fault(c) {
        state.faults.push({ match: c.match, do: c.do,
                            times: c.times === undefined ? -1 : c.times });
    },

    heal() {
        state.faults = [];
    },

    // CRDs that go take their objects along
    set(c) {
        const gone = options.crds && c.options.crds === false;

        if (gone) {
            for (const kind of KINDS.filter((k) => k.crd)) {
                state.store.all(kind).forEach((e) => state.store.remove(kind,
                                                                        e));
            }
        }

        Object.assign(options, c.options);

        if (gone) {
            [...state.watches].filter((w) => w.request.kind.crd)
                .forEach((w) => w.finish());
        }
    },

    tokens(c) {
        state.users = c.tokens;
    },

    certificate({ cert, key, ca }) {
        state.server.setSecureContext({ cert, key, ca });
    },

    compact() {
        state.store.compact();
    },

    version({ version }) {
        state.store.version = version;
    },

    inject({ match, text: raw }) {
        chosen(match).forEach((w) => w.writer.write(raw));
    },

    end({ match }) {
        chosen(match).forEach((w) => w.finish());
    },

    // how: "connection" (at once), or "middle" of an event
    cut({ match, how }) {
        chosen(match).forEach((w) => how === 'middle'
            ? w.half() : destroy(w.request.req));
    },

    freeze({ match }) {
        chosen(match).forEach((w) => {
            w.writer.frozen = true;
        });
    },

    // what happened meanwhile is not sent
    thaw({ match }) {
        chosen(match).forEach((w) => {
            w.writer.frozen = false;
        });
    },

    history({ resource }) {
        const kind = KINDS.find((k) => k.plural === resource);
        return { events: state.store.log(kind).map((e) => ({
            type: e.type, key: e.entry.key, object: e.entry.object })) };
    },

    bookmark({ match }) {
        chosen(match).forEach((w) => w.mark());
    },

    down() {
        state.server.close();

        // sessions first: node 18 crashes when their sockets go under them
        state.sessions.forEach((session) => session.destroy());
        return new Promise((done) => setImmediate(() => {
            state.sockets.forEach((socket) => socket.destroy());
            setImmediate(() => done({}));
        }));
    },

    async up() {
        await listen(state.server, state.port);
    }
};


function secureServer() {
    const tls = {
        cert: options.cert, key: options.key, ca: options.ca,
        requestCert: true, rejectUnauthorized: false
    };

    // an http2 server offers h2 whatever ALPNProtocols says
    const server = options.http1
        ? https.createServer(tls, handle)
        : http2.createSecureServer({
            ...tls, allowHTTP1: true, maxSessionMemory: 1000,
            settings: { maxConcurrentStreams: 250 }
        }, handle);

    // options of http2.createSecureServer() do not reach HTTP/1.1
    server.keepAliveTimeout = 0;
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.timeout = 0;

    server.on('connection', (socket) => {
        socket.setNoDelay(true);
        state.sockets.add(socket);
        socket.on('close', () => state.sockets.delete(socket));
        socket.on('error', () => {});
    });
    server.on('secureConnection', (socket) => socket.on('error', () => {}));
    server.on('sessionError', () => {});
    server.on('session', (session) => {
        state.sessions.add(session);
        session.on('close', () => state.sessions.delete(session));
    });
    server.on('clientError', (e, socket) => socket.destroy());

    return server;
}


async function main() {
    state.server = secureServer();
    state.port = await listen(state.server, options.port || 0);

    if (options.defaultClass) {
        state.store.apply({
            apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass',
            metadata: { name: options.defaultClass, annotations: {
                'ingressclass.kubernetes.io/is-default-class': 'true' } },
            spec: { controller: 'k8s.io/ingress-nginx' }
        });
    }

    ['default', 'torii'].forEach((name) => state.store.namespace(name));
    serve({ port: state.port }, (c) => commands[c.command](c));
}


main();
