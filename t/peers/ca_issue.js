// What signs: a root, an intermediate, and more roots that signed it across.

'use strict';

const crypto = require('crypto');

const der = require('./ca_der.js');

const { OID } = der;

const YEAR = 365 * 86400;
const ALGORITHM = der.seq(der.oid(OID.ecdsaWithSha256));


function newKey() {
    return crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
}


function spkiOf(key) {
    return key.export({ type: 'spki', format: 'der' });
}


// RFC 5280 section 4.2.1.2, (1): of the bits of the key alone.
function keyId(spki) {
    const bits = der.elements(der.one(spki, 0x30).body)[1].body.subarray(1);

    return crypto.createHash('sha1').update(bits).digest();
}


function pem(data, label = 'CERTIFICATE') {
    return `-----BEGIN ${label}-----\n`
        + data.toString('base64').replace(/(.{64})/g, '$1\n').trimEnd()
        + `\n-----END ${label}-----\n`;
}


function sign(c, issuer) {
    const extensions = [
        der.extension(OID.subjectKeyId, false, der.octets(keyId(c.spki))),
        der.extension(OID.authorityKeyId, false,
                      der.seq(der.tlv(0x80, keyId(issuer.spki)))),
        ...c.extensions
    ];

    const tbs = der.seq(
        der.tlv(0xa0, der.integer(Buffer.from([2]))), der.integer(c.serial),
        ALGORITHM, der.name(issuer.cn),
        der.seq(der.time(c.from), der.time(c.to)), der.name(c.cn), c.spki,
        der.tlv(0xa3, der.seq(...extensions)));

    return der.seq(tbs, ALGORITHM,
                   der.bits(crypto.sign('sha256', tbs, issuer.key)));
}


function authority(cn, issuer, pair = newKey()) {
    const now = Math.floor(Date.now() / 1000);
    const self = { cn, key: pair.privateKey, spki: spkiOf(pair.publicKey),
                   pair };

    self.der = sign({
        cn, spki: self.spki, serial: serial(), from: now - 3600,
        to: now + 10 * YEAR,
        extensions: [
            der.extension(OID.basicConstraints, true, der.seq(der.TRUE)),
            // keyCertSign, cRLSign
            der.extension(OID.keyUsage, true, der.bits(Buffer.from([6]), 1))
        ]
    }, issuer || self);
    self.pem = pem(self.der);

    return self;
}


// Half of all begin with a set bit: the INTEGER then has an octet more.
function serial() {
    const out = crypto.randomBytes(16);
    out[0] |= 1;
    return out;
}


class Issuer {
    constructor(roots) {
        this.roots = [];
        for (let i = 0; i < roots; i++) {
            this.roots.push(authority(`Stub Root X${i + 1}`));
        }

        this.low = authority('Stub Intermediate', this.roots[0]);
        this.across = this.roots.slice(1).map(
            (r) => authority(this.low.cn, r, this.low.pair));
    }

    // { der, serial, ari, from, to } of a leaf for names.
    leaf(names, spki, from, to) {
        const number = serial();
        const made = sign({
            cn: null, spki, serial: number, from, to,
            extensions: [
                der.extension(OID.basicConstraints, true, der.seq()),
                // digitalSignature
                der.extension(OID.keyUsage, true,
                              der.bits(Buffer.from([0x80]), 7)),
                der.extension(OID.extendedKeyUsage, false,
                              der.seq(der.oid(OID.serverAuth))),
                der.extension(OID.subjectAltName, true, der.altNames(names))
            ]
        }, this.low);

        // RFC 9773 section 4.1: the content octets of the INTEGER
        const octets = der.one(der.integer(number)).body;

        return {
            der: made, serial: number.toString('hex'), from, to,
            ari: keyId(this.low.spki).toString('base64url') + '.'
                 + octets.toString('base64url')
        };
    }

    // The leaf's chain under root n, as one downloads it.
    chain(leaf, n = 0) {
        return pem(leaf) + (n === 0 ? this.low : this.across[n - 1]).pem;
    }
}


module.exports = { Issuer, newKey, spkiOf, pem };
