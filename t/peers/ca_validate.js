// Validation of challenges, as a CA does it: RFC 8555 section 8, RFC 8737,
// RFC 8738.  Each promises null, or the problem of the challenge.

'use strict';

const crypto = require('crypto');
const dns = require('dns');
const http = require('http');
const net = require('net');
const tls = require('tls');

const der = require('./ca_der.js');

const { OID } = der;

const TIMEOUT = 5000;


function problem(type, detail) {
    return { type: 'urn:ietf:params:acme:error:' + type, detail, status: 403 };
}


function httpChallenge(settings, identifier, token, keyAuth) {
    const host = net.isIPv6(identifier.value)
        ? `[${identifier.value}]` : identifier.value;

    return new Promise((resolve) => {
        const req = http.get({
            host: settings.address, port: settings.http_port, agent: false,
            localAddress: settings.from,
            path: '/.well-known/acme-challenge/' + token, timeout: TIMEOUT,
            headers: { Host: host }
        }, (res) => {
            let body = '';

            res.on('data', (data) => {
                body += data;
            });
            res.on('end', () => {
                if (res.statusCode === 200 && body.trimEnd() === keyAuth) {
                    resolve(null);
                } else {
                    resolve(problem('unauthorized', `answer ${res.statusCode}`
                                    + `: "${body.slice(0, 60)}"`));
                }
            });
        });

        req.on('timeout', () => req.destroy(new Error('timeout')));
        req.on('error', (e) => resolve(problem('connection', String(e))));
    });
}


function reverse(address) {
    if (net.isIPv4(address)) {
        return address.split('.').reverse().join('.') + '.in-addr.arpa';
    }

    const raw = der.elements(der.one(der.altNames([address])).body)[0].body;

    return [...raw.toString('hex')].reverse().join('.') + '.ip6.arpa';
}


function alpnFault(socket, identifier, keyAuth) {
    const cert = der.readCertificate(socket.getPeerCertificate().raw);
    const names = cert.extensions[OID.subjectAltName];
    const hash = cert.extensions[OID.acmeIdentifier];
    const expected = der.octets(
        crypto.createHash('sha256').update(keyAuth).digest());
    const key = crypto.createPublicKey({ key: cert.spki, format: 'der',
                                         type: 'spki' });

    if (socket.alpnProtocol !== 'acme-tls/1') {
        return 'acme-tls/1 was not agreed on';
    }
    if (!names || !names.value.equals(der.altNames([identifier.value]))) {
        return 'subjectAltName is not the one identifier';
    }
    if (!hash || !hash.critical || !hash.value.equals(expected)) {
        return 'acmeIdentifier is missing, not critical or wrong';
    }
    if (!cert.issuer.equals(cert.subject)
        || !crypto.verify('sha256', cert.signed, key, cert.signature))
    {
        return 'certificate is not self-signed';
    }

    return null;
}


function alpnChallenge(settings, identifier, token, keyAuth) {
    const servername = identifier.type === 'ip'
        ? reverse(identifier.value) : identifier.value;

    return new Promise((resolve) => {
        const socket = tls.connect({
            host: settings.address, port: settings.tls_port, servername,
            localAddress: settings.from,
            ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false,
            minVersion: 'TLSv1.2'
        }, () => {
            try {
                const fault = alpnFault(socket, identifier, keyAuth);
                resolve(fault && problem('unauthorized', fault));
            } catch (e) {
                resolve(problem('unauthorized', String(e)));
            }
            socket.destroy();
        });

        socket.setTimeout(TIMEOUT, () => socket.destroy(new Error('timeout')));
        socket.on('error', (e) => resolve(problem('tls', String(e))));
    });
}


async function dnsChallenge(settings, identifier, token, keyAuth) {
    const resolver = new dns.promises.Resolver({ timeout: TIMEOUT, tries: 1 });
    const value = crypto.createHash('sha256').update(keyAuth)
        .digest('base64url');

    resolver.setServers([settings.resolver]);

    try {
        const found = await resolver.resolveTxt('_acme-challenge.'
                                                + identifier.value);
        return found.some((r) => r.join('') === value) ? null
            : problem('unauthorized', 'TXT records do not match');
    } catch (e) {
        return problem('dns', String(e));
    }
}


// draft-ietf-acme-dns-persist: a standing record that names the account.
function persistFault(text, settings, { account, wildcard }) {
    const [domain, ...rest] = text.split(';').map((s) => s.trim());
    const tags = new Map();

    for (const [tag, ...value] of rest.filter((s) => s !== '').map(
        (s) => s.split('=')))
    {
        if (value.length === 0 || tags.has(tag.trim().toLowerCase())) {
            return 'malformed';
        }
        tags.set(tag.trim().toLowerCase(), value.join('=').trim());
    }

    if (!settings.domains.includes(domain.toLowerCase())) {
        return 'of another CA';
    }
    if (tags.get('accounturi') !== account) {
        return 'of another account';
    }
    if (wildcard && (tags.get('policy') || '').toLowerCase() !== 'wildcard') {
        return 'not for wildcards';
    }
    if (tags.has('persistuntil')
        && !(Number(tags.get('persistuntil')) > Date.now() / 1000))
    {
        return 'expired';
    }

    return null;
}


async function persistChallenge(settings, identifier, token, keyAuth, whose) {
    const resolver = new dns.promises.Resolver({ timeout: TIMEOUT, tries: 1 });

    resolver.setServers([settings.resolver]);

    try {
        const found = await resolver.resolveTxt('_validation-persist.'
                                                + identifier.value);
        const faults = found.map((r) => persistFault(r.join(''), settings,
                                                     whose));
        return faults.includes(null) ? null
            : problem('unauthorized', 'TXT records are ' + faults.join());
    } catch (e) {
        return problem('dns', String(e));
    }
}


// From several places; spoil: none of them likes what it got.
function eachVantage(challenge) {
    return async (settings, ...rest) => {
        const faults = [];

        for (const from of settings.vantage) {
            faults.push(await challenge({ ...settings, from }, ...rest));
        }

        return faults.find((f) => f !== null)
            || (settings.spoil ? problem('unauthorized', 'not to our taste')
                : null);
    };
}


module.exports = {
    'http-01': eachVantage(httpChallenge),
    'tls-alpn-01': eachVantage(alpnChallenge),
    'dns-01': dnsChallenge,
    'dns-persist-01': persistChallenge
};
