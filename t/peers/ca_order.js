// Identifiers, requests, orders: what an order may hold, and what is issued
// for it.

'use strict';

const crypto = require('crypto');
const net = require('net');

const der = require('./ca_der.js');
const { newKey, spkiOf, pem } = require('./ca_issue.js');
const { Problem, malformed } = require('./ca_jose.js');

const { OID } = der;

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const ALLOWED = [OID.subjectAltName, OID.keyUsage, OID.extendedKeyUsage];

const CSR_ALGORITHMS = {
    '1.2.840.10045.4.3.2': 'sha256',
    '1.2.840.10045.4.3.3': 'sha384',
    '1.2.840.113549.1.1.11': 'sha256',
    '1.3.101.112': null
};


function nameFault(identifier) {
    const { type, value } = identifier || {};

    if (typeof value !== 'string') {
        return 'value is no text';
    }

    if (type === 'ip') {
        const same = net.isIPv4(value)
            || (net.isIPv6(value) && new URL(`http://[${value}]/`).hostname
                === `[${value}]`);
        return same ? null : 'not an address as RFC 5952 writes it';
    }

    if (type !== 'dns') {
        return 'unknown type';
    }

    const labels = value.replace(/^\*\./, '').split('.');

    return value.length <= 253 && labels.length >= 2 && !net.isIP(value)
           && labels.every((l) => LABEL.test(l))
        ? null : 'not a name as certificates carry it';
}


function checkIdentifiers(list, settings) {
    if (!Array.isArray(list) || list.length === 0) {
        throw malformed('no identifiers');
    }
    if (list.length > settings.max_names) {
        throw malformed(`more than ${settings.max_names} identifiers`);
    }

    const sub = [];
    const seen = new Set();

    for (const identifier of list) {
        const fault = nameFault(identifier);

        if (fault) {
            throw malformed(`identifier ${JSON.stringify(identifier)}: `
                            + fault);
        }
        if (seen.has(identifier.value)) {
            throw malformed(`identifier ${identifier.value} twice`);
        }
        seen.add(identifier.value);

        if (settings.rejected.includes(identifier.value)) {
            sub.push({ type: 'urn:ietf:params:acme:error:rejectedIdentifier',
                       detail: 'policy forbids it', identifier });
        }
    }

    if (sub.length > 0) {
        throw new Problem(400, 'rejectedIdentifier', 'policy forbids '
                          + sub.map((s) => s.identifier.value).join(', '),
                          { body: { subproblems: sub } });
    }
}


const key = (identifier) => identifier.type + ':' + identifier.value;
const sameSet = (a, b) => a.map(key).sort().join() === b.map(key).sort()
    .join();


// The CSR must ask for what was ordered, and for nothing else.
function checkRequest(data, order, accountKey) {
    const bad = (detail) => new Problem(400, 'badCSR', detail);
    let csr, publicKey, signed;

    try {
        csr = der.readRequest(data);
        publicKey = crypto.createPublicKey({ key: csr.spki, format: 'der',
                                             type: 'spki' });
        signed = csr.algorithm in CSR_ALGORITHMS
            && crypto.verify(CSR_ALGORITHMS[csr.algorithm], csr.signed,
                             publicKey, csr.signature);
    } catch (e) {
        throw bad(String(e.message));
    }

    if (!signed) {
        throw bad('signature does not verify, or is of an unknown algorithm');
    }
    if (!sameSet(csr.alternatives, order.identifiers)) {
        throw bad('names are not those of the order: '
                  + csr.alternatives.map(key).join());
    }
    if (csr.names.length > 1 || csr.names.some((n) => n.length > 64
        || net.isIP(n) || !order.identifiers.some((i) => i.value === n)))
    {
        throw bad('common name is not one of the names');
    }
    if (Object.keys(csr.extensions).some((id) => !ALLOWED.includes(id))) {
        throw bad('an extension that nobody asked for');
    }
    if (publicKey.asymmetricKeyType === 'rsa'
        && publicKey.asymmetricKeyDetails.modulusLength < 2048)
    {
        throw bad('RSA key is too short');
    }
    if (csr.spki.equals(spkiOf(accountKey))) {
        throw bad('key is that of the account');
    }

    return csr.spki;
}


// Chains as a broken or hostile CA may give them.  Each gets the names, the
// key and a function that issues (names, key, from, to).
const CHAINS = {
    'other key': (n, spki, issue) =>
        issue(n, spkiOf(newKey().publicKey)),
    'other names': (n, spki, issue) => issue(['other.example'], spki),
    'more names': (n, spki, issue) => issue([...n, 'other.example'], spki),
    'fewer names': (n, spki, issue) =>
        issue(n.length > 1 ? n.slice(1) : ['fewer.example'], spki),
    expired: (n, spki, issue) => issue(n, spki, -7200, -3600),
    'not yet': (n, spki, issue) => issue(n, spki, 86400, 2 * 86400)
};

const TEXTS = {
    'private key': (text) => text + newKey().privateKey.export(
        { type: 'pkcs8', format: 'pem' }),
    reversed: (text) => text.split(/(?<=-----END CERTIFICATE-----\n)/)
        .reverse().join(''),
    'strange issuer': (text, other) => text.replace(
        /(-----END CERTIFICATE-----\n)[^]*/, '$1' + other),
    empty: () => '',
    'no PEM': () => 'this is no certificate\n',
    huge: (text, other) => text + other.repeat(Math.ceil(100000
                                                        / other.length)),
    'broken DER': () => pem(Buffer.from('3003020101ff', 'hex'))
};


module.exports = { checkIdentifiers, checkRequest, sameSet, key, CHAINS,
                   TEXTS };
