// An OpenID provider that does wrong: class Fake in ../idp.py tells how.

'use strict';

const crypto = require('crypto');

const { serve } = require('./peer.js');
const { state, send, refuse, authorize, redeem, bearer, run, answer }
    = require('./idp.js');


const good = pair('a-key');
const other = pair('another-key');

state.how = {};


function pair(kid) {
    const keys = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });

    return { ...keys, kid };
}


function jwk(key, kid = key.kid) {
    return { ...key.publicKey.export({ format: 'jwk' }), kid, use: 'sig',
             alg: 'ES256' };
}


function jwks() {
    switch (state.how.jwks) {

    case 'huge':
        return { keys: Array.from({ length: 20000 },
                                  (_, i) => jwk(other, `k${i}`)) };

    case 'twice':                  // the wrong one first
        return { keys: [jwk(other, good.kid), jwk(good)] };

    case 'other':
        return { keys: [jwk(other)] };
    }

    return { keys: [jwk(good)] };
}


function code(value) {
    return Buffer.from(typeof value === 'string' ? value
        : JSON.stringify(value)).toString('base64url');
}


function signature(text) {
    const ecdsa = (key) => crypto.sign('sha256', Buffer.from(text), {
        key: key.privateKey, dsaEncoding: 'ieee-p1363' });

    switch (state.how.sign) {

    case 'none':
        return '';

    case 'other':
        return ecdsa(other).toString('base64url');

    case 'zero':
        return Buffer.alloc(64).toString('base64url');

    case 'der':
        return crypto.sign('sha256', Buffer.from(text), good.privateKey)
            .toString('base64url');

    case 'hmac':                   // with what everybody knows
        return crypto.createHmac('sha256', good.publicKey.export(
            { format: 'pem', type: 'spki' })).update(text)
            .digest('base64url');
    }

    return ecdsa(good).toString('base64url');
}


function token(claims) {
    const header = { alg: 'ES256', kid: good.kid, typ: 'JWT',
                     ...state.how.header };
    const payload = { ...claims, ...state.how.claims };

    if (state.how.kids) {
        header.kid = crypto.randomBytes(8).toString('hex');
    }

    for (const set of [header, payload]) {
        for (const name of Object.keys(set)) {
            if (set[name] === null) {
                delete set[name];
            }
        }
    }

    let body = JSON.stringify(payload);

    if (state.how.twice) {
        body = `{"${state.how.twice}":"x",` + body.slice(1);
    }

    const text = `${code(header)}.${code(body)}`;

    return `${text}.${signature(text)}`;
}


function metadata(issuer) {
    return {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        code_challenge_methods_supported: ['S256'],
        backchannel_logout_supported: true
    };
}


function claims(issuer, grant) {
    const now = Math.floor(Date.now() / 1000) + (state.how.clock || 0);

    return { iss: issuer, aud: 'app', iat: now, exp: now + 300,
             nonce: grant.nonce, ...grant.person };
}


// One service, below issuer: endpoints of OpenID Connect.

function oidc(issuer, service) {
    const base = new URL(issuer).pathname.replace(/\/$/, '');

    return (req, res, path, query, body) => {
        switch (path.slice(base.length)) {

        case '/.well-known/openid-configuration':
            send(res, 200, metadata(issuer));
            return;

        case '/jwks':
            send(res, 200, jwks());
            return;

        case '/authorize':
            service.look?.(query);
            authorize(req, res, query, service);
            return;

        case '/token': {
            const grant = redeem(req, res, body, service);

            if (grant) {
                send(res, 200, { access_token: grant.token,
                                 token_type: 'Bearer',
                                 expires_in: state.how.expires || 300,
                                 refresh_token: state.how.refresh,
                                 id_token: token(claims(issuer, grant)) });
            }

            return;
        }

        case '/userinfo': {
            const person = bearer(req, res);

            if (person) {
                send(res, 200, { ...person, ...state.how.userinfo });
            }

            return;
        }
        }

        refuse(res, `path ${path}`, 404);
    };
}


async function main() {
    const service = { oidc: true };
    let handle = null;

    const port = await run((...request) => handle(...request));
    const issuer = `http://127.0.0.1:${port}`;

    handle = oidc(issuer, service);

    serve({ port, issuer }, (command) => command.command === 'sign'
        ? { token: token({ iss: issuer, aud: 'app', ...command.claims }) }
        : answer(command));
}


if (require.main === module) {
    main();
}


module.exports = { oidc };
