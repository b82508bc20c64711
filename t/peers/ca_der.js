// DER, read and written as far as certificates and requests need it.

'use strict';

const net = require('net');


const OID = {
    ecdsaWithSha256: '1.2.840.10045.4.3.2',
    commonName: '2.5.4.3',
    extensionRequest: '1.2.840.113549.1.9.14',
    subjectKeyId: '2.5.29.14',
    keyUsage: '2.5.29.15',
    subjectAltName: '2.5.29.17',
    basicConstraints: '2.5.29.19',
    authorityKeyId: '2.5.29.35',
    extendedKeyUsage: '2.5.29.37',
    serverAuth: '1.3.6.1.5.5.7.3.1',
    acmeIdentifier: '1.3.6.1.5.5.7.1.31'
};


// Writing

function tlv(tag, ...parts) {
    const body = Buffer.concat(parts);
    let size;

    if (body.length < 0x80) {
        size = [body.length];

    } else if (body.length < 0x100) {
        size = [0x81, body.length];

    } else {
        size = [0x82, body.length >> 8, body.length & 0xff];
    }

    return Buffer.concat([Buffer.from([tag, ...size]), body]);
}


const seq = (...parts) => tlv(0x30, ...parts);
const set = (...parts) => tlv(0x31, ...parts);
const octets = (data) => tlv(0x04, data);
const bits = (data, unused = 0) => tlv(0x03, Buffer.from([unused]), data);
const utf8 = (text) => tlv(0x0c, Buffer.from(text));
const TRUE = Buffer.from([0x01, 0x01, 0xff]);


// Of an unsigned number: an octet of zeroes goes before a set highest bit.
function integer(data) {
    let i = 0;

    while (i < data.length - 1 && data[i] === 0) {
        i++;
    }

    const body = data.subarray(i);

    return tlv(0x02, body[0] & 0x80 ? Buffer.from([0]) : Buffer.alloc(0),
               body);
}


function oid(text) {
    const arcs = text.split('.').map(Number);
    const out = [arcs[0] * 40 + arcs[1]];

    for (const arc of arcs.slice(2)) {
        const piece = [arc & 0x7f];

        for (let n = Math.floor(arc / 128); n > 0; n = Math.floor(n / 128)) {
            piece.unshift(0x80 | (n & 0x7f));
        }

        out.push(...piece);
    }

    return tlv(0x06, Buffer.from(out));
}


function time(seconds) {
    const text = new Date(seconds * 1000).toISOString()
        .replace(/\.\d+/, '').replace(/[-:T]/g, '');

    return seconds < Date.UTC(2050, 0) / 1000
        ? tlv(0x17, Buffer.from(text.slice(2)))
        : tlv(0x18, Buffer.from(text));
}


function name(cn) {
    return cn ? seq(set(seq(oid(OID.commonName), utf8(cn)))) : seq();
}


function extension(id, critical, value) {
    return seq(oid(id), ...(critical ? [TRUE] : []), octets(value));
}


function ipBytes(text) {
    if (net.isIPv4(text)) {
        return Buffer.from(text.split('.').map(Number));
    }

    const [head, tail] = text.split('::');
    const groups = (part) => (part ? part.split(':') : []);
    const left = groups(head), right = groups(tail);
    const zeroes = Array(8 - left.length - right.length).fill('0');
    const all = tail === undefined ? left : [...left, ...zeroes, ...right];

    return Buffer.from(all.map((g) => g.padStart(4, '0')).join(''), 'hex');
}


function altNames(names) {
    return seq(...names.map((n) => (net.isIP(n)
        ? tlv(0x87, ipBytes(n)) : tlv(0x82, Buffer.from(n)))));
}


// Reading.  An element is { tag, body, raw }; what is cut short throws.

function elements(data) {
    const out = [];
    let at = 0;

    while (at < data.length) {
        let head = 2, size = data[at + 1];

        if (size & 0x80) {
            const n = size & 0x7f;
            if (n < 1 || n > 3 || at + 2 + n > data.length) {
                throw new Error('DER: bad length');
            }
            size = data.readUIntBE(at + 2, n);
            head += n;
        }

        if (!(at + head + size <= data.length)) {
            throw new Error('DER: cut short');
        }

        out.push({ tag: data[at], body: data.subarray(at + head,
                                                      at + head + size),
                   raw: data.subarray(at, at + head + size) });
        at += head + size;
    }

    return out;
}


function one(data, tag) {
    const found = elements(data);

    if (found.length !== 1 || (tag !== undefined && found[0].tag !== tag)) {
        throw new Error('DER: not the one element that was expected');
    }

    return found[0];
}


function readOid(body) {
    const out = [Math.floor(body[0] / 40), body[0] % 40];
    let n = 0;

    for (const octet of body.subarray(1)) {
        n = n * 128 + (octet & 0x7f);
        if (!(octet & 0x80)) {
            out.push(n);
            n = 0;
        }
    }

    return out.join('.');
}


// RFC 5952, for addresses of 16 octets: the longest run of zeroes is "::".
function ipText(body) {
    if (body.length === 4) {
        return [...body].join('.');
    }

    const url = new URL('http://[' + body.toString('hex').match(/..../g)
                                         .join(':') + ']/');
    return url.hostname.slice(1, -1);
}


function readAltNames(value) {
    return elements(one(value, 0x30).body).map((e) => {
        if (e.tag === 0x82) {
            return { type: 'dns', value: e.body.toString('latin1') };
        }
        if (e.tag === 0x87 && [4, 16].includes(e.body.length)) {
            return { type: 'ip', value: ipText(e.body) };
        }
        return { type: 'tag ' + e.tag, value: e.body.toString('hex') };
    });
}


// { id: { critical, value } }; the same one twice is an error.
function readExtensions(data) {
    const out = {};

    for (const e of elements(data)) {
        const parts = elements(e.body);
        const id = readOid(parts[0].body);

        if (out[id]) {
            throw new Error('DER: extension ' + id + ' twice');
        }

        out[id] = { critical: parts.length === 3,
                    value: parts[parts.length - 1].body };
    }

    return out;
}


// A PKCS#10 request: what is signed, by what, for whom.
function readRequest(der) {
    const [info, algorithm, signature] = elements(one(der, 0x30).body);
    const [, subject, spki, attributes] = elements(info.body);
    const names = [];
    let extensions = {};

    for (const rdn of elements(subject.body)) {
        for (const pair of elements(rdn.body)) {
            const [id, value] = elements(pair.body);
            if (readOid(id.body) === OID.commonName) {
                names.push(value.body.toString());
            }
        }
    }

    for (const a of attributes ? elements(attributes.body) : []) {
        const [id, values] = elements(a.body);
        if (readOid(id.body) === OID.extensionRequest) {
            extensions = readExtensions(one(values.body, 0x30).body);
        }
    }

    return {
        signed: info.raw, spki: spki.raw, names, extensions,
        algorithm: readOid(elements(algorithm.body)[0].body),
        signature: signature.body.subarray(1),
        alternatives: extensions[OID.subjectAltName]
            ? readAltNames(extensions[OID.subjectAltName].value) : []
    };
}


// A certificate, as far as a validator of tls-alpn-01 looks at it.
function readCertificate(der) {
    const [tbs, algorithm, signature] = elements(one(der, 0x30).body);
    const parts = elements(tbs.body);
    const last = parts[parts.length - 1];
    const [, , issuer, , subject, spki] = parts.slice(
        parts[0].tag === 0xa0 ? 1 : 0);

    return {
        signed: tbs.raw, issuer: issuer.raw, subject: subject.raw,
        spki: spki.raw, algorithm: readOid(elements(algorithm.body)[0].body),
        signature: signature.body.subarray(1),
        extensions: last.tag === 0xa3
            ? readExtensions(one(last.body, 0x30).body) : {}
    };
}


module.exports = {
    OID, tlv, seq, octets, bits, integer, oid, time, name, extension,
    altNames, elements, one, readAltNames, readRequest, readCertificate,
    TRUE
};
