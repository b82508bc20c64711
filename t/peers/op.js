// An OpenID provider for the tests of logins, by oidc-provider: class Provider
// in ../oidc.py tells what it does.  Any name and password are taken; who
// somebody is, his name tells.

'use strict';

const crypto = require('crypto');
const http = require('http');
const https = require('https');

const { options, serve, listen } = require('./peer.js');


const ALGORITHMS = {
    rs: ['RS256', 'rsa', { modulusLength: 2048 }],
    ps: ['PS256', 'rsa', { modulusLength: 2048 }],
    es: ['ES256', 'ec', { namedCurve: 'P-256' }],
    ed: ['EdDSA', 'ed25519', {}]
};

// one line of JSON for each command, and nothing else

console.log = console.info = console.warn = console.error;


const state = {
    ttl: 300,                      // s, of access tokens
    down: false,                   // answers 503 to all
    delay: 0,                      // ms, of the token endpoint
    gateway: null,                 // { port, host } of back-channel logout
    counts: {}
};


const signing = {};                // by algorithm


function count(what) {
    state.counts[what] = (state.counts[what] || 0) + 1;
}


function keys() {
    return Object.entries(ALGORITHMS).map(([kid, [alg, type, how]]) => {
        const pair = crypto.generateKeyPairSync(type, how);
        const unique = `${kid}-${crypto.randomBytes(4).toString('hex')}`;

        signing[kid] = { ...pair, alg, kid: unique };

        return { ...pair.privateKey.export({ format: 'jwk' }), kid: unique,
                 use: 'sig', ...(type === 'ed25519' ? {} : { alg }) };
    });
}


// A token by one of the keys, or by none that is known; also such as nobody
// should make.

function sign(by, header, claims) {
    const known = signing[by];
    const head = { alg: known.alg, kid: known.kid, typ: 'at+jwt', ...header };
    const input = [head, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    let signature = Buffer.alloc(0);

    if (head.alg === 'HS256') {
        signature = crypto.createHmac('sha256', known.publicKey.export(
            { type: 'spki', format: 'pem' })).update(input).digest();

    } else if (head.alg !== 'none') {
        signature = crypto.sign(
            by === 'ed' ? null : 'sha256', Buffer.from(input),
            { key: known.privateKey, dsaEncoding: 'ieee-p1363',
              ...(by === 'ps' ? { padding: crypto.constants
                                      .RSA_PKCS1_PSS_PADDING,
                                  saltLength: 32 } : {}) });
    }

    return `${input}.${signature.toString('base64url')}`;
}


function groupsOf(name) {
    if (name.startsWith('big')) {
        return Array.from({ length: 400 }, (_, i) => `group-${i}`)
            .concat('devs');
    }

    if (name.startsWith('guest')) {
        return [];
    }

    return name.startsWith('admin') ? ['admins', 'devs'] : ['devs'];
}


function account(name) {
    return {
        accountId: name,
        claims: () => ({
            sub: name, name, preferred_username: name,
            email: `${name}@${name.startsWith('out') ? 'other' : 'example'}.test`,
            email_verified: !name.startsWith('unverified'),
            groups: groupsOf(name)
        })
    };
}


function client(kid) {
    return {
        client_id: `app-${kid}`,
        client_secret: options.secret,
        redirect_uris: ['https://app.test/oauth2/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: ALGORITHMS[kid][0],
        backchannel_logout_uri: 'http://app.test/oauth2/backchannel-logout',
        backchannel_logout_session_required: true
    };
}


// Of the gateway under test, whatever name the URI has.

function toGateway(url, request) {
    return new Promise((resolve, reject) => {
        const body = String(request.body);
        const to = http.request({
            host: '127.0.0.1', port: state.gateway.port, method: 'POST',
            path: new URL(url).pathname,
            headers: { 'Host': state.gateway.host,
                       'Content-Type': 'application/x-www-form-urlencoded',
                       'Content-Length': Buffer.byteLength(body) }
        }, (res) => {
            count(`backchannel ${res.statusCode}`);
            state.token = body;
            res.resume();
            res.on('end', () => resolve(new Response(null,
                { status: res.statusCode === 200 ? 204 : res.statusCode })));
        });

        to.on('error', reject);
        to.end(body);
    });
}


async function make(port) {
    const { Provider } = await import('oidc-provider');
    const issuer = `${options.cert ? 'https' : 'http'}://127.0.0.1:${port}`;

    const provider = new Provider(issuer, {
        clients: Object.keys(ALGORITHMS).map(client),
        jwks: { keys: keys() },
        cookies: { keys: ['a key of this test'] },
        pkce: { required: () => true },
        scopes: ['openid', 'offline_access'],
        claims: {
            openid: ['sub'],
            email: ['email', 'email_verified'],
            profile: ['name', 'preferred_username'],
            groups: ['groups']
        },
        conformIdTokenClaims: false,
        findAccount: (ctx, name) => account(name),
        features: {
            devInteractions: { enabled: true },
            backchannelLogout: { enabled: true },
            revocation: { enabled: true },
            userinfo: { enabled: true }
        },
        issueRefreshToken: async () => true,
        rotateRefreshToken: true,
        ttl: {
            AccessToken: () => state.ttl,
            IdToken: 300, AuthorizationCode: 60, RefreshToken: 3600,
            Session: 3600, Interaction: 600, Grant: 3600
        },
        fetch: toGateway,
        renderError: (ctx, out) => { ctx.type = 'json'; ctx.body = out; }
    });

    // ports of gateways are not known beforehand

    provider.Client.prototype.redirectUriAllowed = (uri) =>
        /^https:\/\/[a-z0-9.-]+\.test:\d+\/oauth2\/callback$/.test(uri);
    provider.Client.prototype.postLogoutRedirectUriAllowed = (uri) =>
        /^https:\/\/[a-z0-9.-]+\.test:\d+\//.test(uri);

    provider.on('grant.success', (ctx) => count(ctx.oidc.params.grant_type));
    provider.on('grant.error', (ctx, e) => count(`error ${e.error}`));
    provider.on('server_error', (ctx, e) => console.error(e));

    return { issuer, callback: provider.callback() };
}


async function answer(command) {
    switch (command.command) {

    case 'set':
        Object.assign(state, command.values);
        return {};

    case 'counts':
        return { counts: state.counts, token: state.token || '' };

    case 'clear':
        state.counts = {};
        return {};

    case 'sign':
        return { token: sign(command.by, command.header, command.claims) };
    }

    return { error: 'what?' };
}


async function main() {
    let op = null;

    function receive(req, res) {
        const path = req.url.split('?')[0];

        count(path);

        if (state.down) {
            res.writeHead(503);
            res.end();
            return;
        }

        setTimeout(() => op.callback(req, res),
                   path === '/token' ? state.delay : 0);
    }

    const server = options.cert
        ? https.createServer({ cert: options.cert, key: options.key }, receive)
        : http.createServer(receive);

    const port = await listen(server, options.port || 0, '127.0.0.1');

    op = await make(port);

    serve({ port, issuer: op.issuer }, answer);
}


main();
