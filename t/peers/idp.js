// What the stand-ins for login services share: a browser is sent back at once,
// as the person that a test named; codes are good once, for the client that
// they were made for, and with the verifier (RFC 7636).  What no strict service
// would take is answered 400 and kept in "wrong".

'use strict';

const crypto = require('crypto');
const http = require('http');

const { options, listen } = require('./peer.js');


const state = {
    person: {},                    // who logs in: claims, see each service
    faults: {},                    // path: see fault()
    counts: {},
    wrong: []                      // what no strict service would have taken
};

const codes = new Map();
const tokens = new Map();          // access token: person


function count(what) {
    state.counts[what] = (state.counts[what] || 0) + 1;
}


function send(res, status, body, headers = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'text/html' : 'application/json';

    res.writeHead(status, { 'Content-Type': type, ...headers,
                            'Content-Length': Buffer.byteLength(text) });
    res.end(text);
}


function refuse(res, text, status = 400) {
    state.wrong.push(text);
    send(res, status, { error: 'invalid_request', error_description: text });
}


// { status, body, type, headers } in place of an answer, size (so many bytes of
// it), delay (ms before it), cut (the connection ends within it)

function fault(res, how) {
    const body = how.size ? 'x'.repeat(how.size)
        : typeof how.body === 'object' ? JSON.stringify(how.body)
            : how.body || '';

    setTimeout(() => {
        res.writeHead(how.status || 200, {
            'Content-Type': how.type || 'application/json', ...how.headers,
            'Content-Length': Buffer.byteLength(body) + (how.cut ? 9 : 0) });

        if (how.cut) {
            res.write(body, () => res.destroy());
        } else {
            res.end(body);
        }
    }, how.delay || 0);
}


function authorize(req, res, query, service) {
    const back = query.get('redirect_uri') || '';

    const wrong = req.method !== 'GET' ? 'method of authorize'
        : query.get('response_type') !== 'code' ? 'response_type'
            : query.get('client_id') !== 'app' ? 'client_id'
                : !/^https:\/\/[a-z0-9.-]+\.test:\d+\/oauth2\/callback$/
                    .test(back) ? 'redirect_uri'
                    : (query.get('state') || '').length < 40 ? 'state'
                        : query.get('code_challenge_method') !== 'S256'
                            ? 'code_challenge_method'
                            : service.oidc && !query.get('nonce') ? 'nonce'
                                : null;

    if (wrong) {
        refuse(res, `authorize: ${wrong}`);
        return;
    }

    const code = crypto.randomBytes(16).toString('hex');

    codes.set(code, { back, service, person: state.person,
                      challenge: query.get('code_challenge'),
                      nonce: query.get('nonce'), scope: query.get('scope') });

    const to = new URL(back);

    to.searchParams.set('code', code);
    to.searchParams.set('state', query.get('state'));

    res.writeHead(302, { Location: to.href });
    res.end();
}


function clientOf(req, form) {
    const [kind, text] = (req.headers.authorization || '').split(' ');

    if (kind === 'Basic') {
        return Buffer.from(text, 'base64').toString().split(':')
            .map(decodeURIComponent);
    }

    return [form.get('client_id'), form.get('client_secret')];
}


// The grant of a token request, or null and it is answered.

function redeem(req, res, body, service) {
    const form = new URLSearchParams(body);
    const [id, secret] = clientOf(req, form);
    const grant = codes.get(form.get('code'));

    const wrong = req.method !== 'POST' ? 'method'
        : req.headers['content-type'] !== 'application/x-www-form-urlencoded'
            ? 'content-type'
            : !/application\/json/.test(req.headers.accept) ? 'accept'
                : id !== 'app' || secret !== options.secret ? 'client'
                    : form.get('grant_type') !== 'authorization_code'
                        ? 'grant_type'
                        : !grant || grant.service !== service ? 'code'
                            : form.get('redirect_uri') !== grant.back
                                ? 'redirect_uri' : null;

    if (wrong) {
        refuse(res, `token: ${wrong}`);
        return null;
    }

    codes.delete(form.get('code'));

    const hash = crypto.createHash('sha256')
        .update(form.get('code_verifier') || '').digest('base64url');

    if (hash !== grant.challenge) {
        refuse(res, 'token: code_verifier');
        return null;
    }

    grant.token = crypto.randomBytes(20).toString('hex');
    tokens.set(grant.token, grant.person);

    return grant;
}


// Whose token a request has, or null and it is answered.

function bearer(req, res) {
    const [kind, token] = (req.headers.authorization || '').split(' ');
    const person = kind === 'Bearer' && tokens.get(token);

    if (!person) {
        refuse(res, `${req.url}: token`, 401);
        return null;
    }

    return person;
}


// handler(req, res, path, query, body)

async function run(handler) {
    const server = http.createServer((req, res) => {
        const url = new URL(req.url, 'http://127.0.0.1');
        let body = '';

        count(url.pathname);

        req.on('data', (piece) => { body += piece; });
        req.on('end', () => {
            const how = state.faults[url.pathname];

            if (how) {
                fault(res, how);
            } else {
                handler(req, res, url.pathname, url.searchParams, body);
            }
        });
    });

    return listen(server, 0, '127.0.0.1');
}


function answer(command) {
    switch (command.command) {

    case 'set':
        Object.assign(state, command.values);
        return {};

    case 'told':
        return { counts: state.counts, wrong: state.wrong };

    case 'clear':
        Object.assign(state, { person: {}, faults: {}, counts: {}, wrong: [],
                               how: {} });
        return {};
    }

    return { error: 'what?' };
}


module.exports = { state, send, refuse, authorize, redeem, bearer, run,
                   answer };
