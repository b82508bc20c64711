// JSON Web Signatures as RFC 8555 section 6.2 has them, and problems.

'use strict';

const crypto = require('crypto');


// A refusal: what is thrown on the way becomes the answer.
class Problem extends Error {
    constructor(status, type, detail, more = {}) {
        super(detail);
        this.status = status;
        this.headers = more.headers || {};
        this.body = Object.assign(
            { type: 'urn:ietf:params:acme:error:' + type, detail, status },
            more.body);
    }
}


const malformed = (detail) => new Problem(400, 'malformed', detail);

const B64URL = /^[A-Za-z0-9_-]*$/;

// Signatures of accounts; hash null is the algorithm's own.
const ALGORITHMS = {
    ES256: { kty: 'EC', crv: 'P-256', size: 32, hash: 'sha256' },
    ES384: { kty: 'EC', crv: 'P-384', size: 48, hash: 'sha384' },
    RS256: { kty: 'RSA', hash: 'sha256' },
    EdDSA: { kty: 'OKP', crv: 'Ed25519', size: 32, hash: null }
};

const MACS = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

// RFC 7638 section 3.2: members of a thumbprint, in order
const MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'],
                  OKP: ['crv', 'kty', 'x'] };
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];


function decode(text, what) {
    if (typeof text !== 'string' || !B64URL.test(text)
        || text.length % 4 === 1)
    {
        throw malformed(what + ' is not base64url without padding');
    }

    return Buffer.from(text, 'base64url');
}


function parseObject(data, what) {
    let value;

    try {
        value = JSON.parse(data.toString());
    } catch (e) {
        throw malformed(what + ' is not JSON');
    }

    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        throw malformed(what + ' is not a JSON object');
    }

    return value;
}


// { protected, payload, signature } → { header, payload, input, signature }
function parse(value) {
    const members = Object.keys(value).sort().join();

    if (members !== 'payload,protected,signature') {
        throw malformed('JWS has members ' + members);
    }

    return {
        header: parseObject(decode(value.protected, 'protected'),
                            'protected header'),
        payload: decode(value.payload, 'payload'),
        input: Buffer.from(value.protected + '.' + value.payload),
        signature: decode(value.signature, 'signature')
    };
}


function canonical(jwk) {
    const out = {};

    for (const name of MEMBERS[jwk.kty]) {
        out[name] = jwk[name];
    }

    return JSON.stringify(out);
}


function thumbprint(jwk) {
    return crypto.createHash('sha256').update(canonical(jwk))
        .digest('base64url');
}


function readKey(jwk) {
    if (jwk === null || typeof jwk !== 'object' || !MEMBERS[jwk.kty]) {
        throw new Problem(400, 'badPublicKey', 'jwk of an unknown kty');
    }
    if (PRIVATE.some((name) => name in jwk)) {
        throw malformed('jwk carries a private key');
    }

    for (const name of MEMBERS[jwk.kty]) {
        if (!['kty', 'crv'].includes(name)) {
            decode(jwk[name], 'jwk member ' + name);
        }
    }

    const known = Object.values(ALGORITHMS).find(
        (a) => a.kty === jwk.kty && a.crv === (a.crv && jwk.crv));

    if (!known) {
        throw new Problem(400, 'badPublicKey', 'jwk of an unknown curve');
    }

    const size = known.size && Buffer.from(jwk.x, 'base64url').length;

    if (size !== known.size || (jwk.kty === 'EC'
        && Buffer.from(jwk.y, 'base64url').length !== known.size))
    {
        throw new Problem(400, 'badPublicKey', 'jwk coordinate of wrong size');
    }

    // RFC 7518 section 6.3.1.1: no zeroes in front
    if (jwk.kty === 'RSA'
        && (Buffer.from(jwk.n, 'base64url')[0] === 0
            || Buffer.from(jwk.n, 'base64url').length < 256))
    {
        throw new Problem(400, 'badPublicKey', 'RSA modulus of wrong size');
    }

    try {
        return crypto.createPublicKey({ key: jwk, format: 'jwk' });
    } catch (e) {
        throw new Problem(400, 'badPublicKey', 'jwk is no public key');
    }
}


function verify(jws, jwk, key) {
    const algorithm = Object.hasOwn(ALGORITHMS, jws.header.alg)
        ? ALGORITHMS[jws.header.alg] : null;

    if (!algorithm || algorithm.kty !== jwk.kty
        || (algorithm.crv && algorithm.crv !== jwk.crv))
    {
        throw new Problem(400, 'badSignatureAlgorithm',
                          'alg is not one of this key', {
            body: { algorithms: Object.keys(ALGORITHMS) }
        });
    }

    const how = jwk.kty === 'EC' ? { key, dsaEncoding: 'ieee-p1363' } : key;

    if (!crypto.verify(algorithm.hash, jws.input, how, jws.signature)) {
        throw malformed('JWS signature does not verify');
    }
}


// RFC 8555 section 7.3.4
function verifyBinding(value, url, jwk, keys) {
    const jws = parse(value);
    const hash = Object.hasOwn(MACS, jws.header.alg)
        ? MACS[jws.header.alg] : null;

    if (Object.keys(jws.header).sort().join() !== 'alg,kid,url' || !hash
        || jws.header.url !== url)
    {
        throw malformed('externalAccountBinding has a bad header');
    }
    if (canonical(parseObject(jws.payload, 'binding')) !== canonical(jwk)) {
        throw malformed('externalAccountBinding is for another key');
    }

    const secret = Object.hasOwn(keys, jws.header.kid)
        && Buffer.from(keys[jws.header.kid], 'base64url');
    const mac = secret && crypto.createHmac(hash, secret).update(jws.input)
        .digest();

    if (!mac || mac.length !== jws.signature.length
        || !crypto.timingSafeEqual(mac, jws.signature))
    {
        throw new Problem(403, 'unauthorized',
                          'externalAccountBinding does not verify');
    }
}


module.exports = {
    Problem, malformed, parse, parseObject, readKey, thumbprint, verify,
    verifyBinding, decode
};
