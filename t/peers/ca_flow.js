// The resources of RFC 8555: accounts, orders, authorizations, challenges,
// certificates; renewal information of RFC 9773.  A handler gets a call
// { account, jwk, key, payload, id, url, order … } and returns an answer
// { status, body (JSON), text, headers }.

'use strict';

const crypto = require('crypto');

const jose = require('./ca_jose.js');
const orders = require('./ca_order.js');
const validators = require('./ca_validate.js');
const { newKey, spkiOf } = require('./ca_issue.js');

const { Problem, malformed } = jose;

const REASONS = [0, 1, 4, 5];            // those that Let's Encrypt takes
const now = () => Date.now() / 1000;


function rfc3339(seconds) {
    return new Date(seconds * 1000).toISOString().replace(/\.\d+/, '');
}


class Flow {
    constructor(base, issuer, settings) {
        Object.assign(this, { base, issuer, settings });
        this.accounts = [];
        this.orders = [];
        this.authzs = [];
        this.certs = [];
        this.pending = new Map();        // "account set" → its last order
        this.byAri = new Map();
        this.byThumbprint = new Map();
    }

    url(what, id) {
        return `${this.base}/${what}/${id}`;
    }

    // Directory

    directory() {
        const at = (path) => `${this.base}/${path}`;
        const s = this.settings;

        return { status: 200, body: {
            newNonce: at('nonce'), newAccount: at('account-new'),
            newOrder: at('order-new'), revokeCert: at('revoke'),
            keyChange: at('key-change'),
            ...(s.ari && { renewalInfo: at('ari') }),
            meta: {
                termsOfService: at('terms/' + s.terms),
                website: at('about'), caaIdentities: s.caa,
                externalAccountRequired: s.eab !== null,
                ...(s.profiles && { profiles: Object.fromEntries(
                    Object.keys(s.profiles).map((p) => [p, at('p/' + p)])) })
            }
        } };
    }

    newNonce(call) {
        return { status: call.method === 'HEAD' ? 200 : 204,
                 headers: { 'Cache-Control': 'no-store' } };
    }

    // Accounts

    newAccount(call) {
        const p = call.payload;
        const mark = jose.thumbprint(call.jwk);
        const old = this.byThumbprint.get(mark);

        if (old) {
            return this.showAccount(old, 200);
        }
        if (p.onlyReturnExisting === true) {
            throw new Problem(400, 'accountDoesNotExist', 'no such account');
        }
        if (p.termsOfServiceAgreed !== true) {
            throw new Problem(403, 'userActionRequired',
                              'terms of service are not agreed to', {
                body: { instance: `${this.base}/terms/${this.settings.terms}` },
                headers: { Link: `<${this.base}/terms/${this.settings.terms}>`
                                 + ';rel="terms-of-service"' }
            });
        }

        this.checkContacts(p.contact);

        if (this.settings.eab !== null) {
            if (p.externalAccountBinding === undefined) {
                throw new Problem(403, 'externalAccountRequired',
                                  'an external account is needed');
            }
            jose.verifyBinding(p.externalAccountBinding, call.url, call.jwk,
                               this.settings.eab);
        }

        const account = { id: this.accounts.length + 1, status: 'valid',
                          contact: p.contact || [], jwk: call.jwk,
                          key: call.key, mark };
        this.accounts.push(account);
        this.byThumbprint.set(mark, account);
        return this.showAccount(account, 201);
    }

    checkContacts(contacts = []) {
        for (const one of Array.isArray(contacts) ? contacts : [null]) {
            if (typeof one !== 'string' || !one.startsWith('mailto:')) {
                throw new Problem(400, 'unsupportedContact',
                                  'contacts are mailto: URLs');
            }
            if (!/^mailto:[^@\s?,]+@[^@\s?,]+\.[^@\s?,]+$/.test(one)) {
                throw new Problem(400, 'invalidContact',
                                  'not one mail address');
            }
        }
    }

    showAccount(a, status = 200) {
        return { status, headers: { Location: this.url('account', a.id) },
                 body: { status: a.status, contact: a.contact,
                         orders: this.url('account-orders', a.id) } };
    }

    account(call) {
        const a = call.account;

        if (Number(call.id) !== a.id) {
            throw new Problem(403, 'unauthorized', 'another account');
        }
        if (call.payload && call.payload.status === 'deactivated') {
            a.status = 'deactivated';

        } else if (call.payload && call.payload.contact) {
            this.checkContacts(call.payload.contact);
            a.contact = call.payload.contact;
        }

        return this.showAccount(a);
    }

    accountOrders(call) {
        return { status: 200, body: { orders: this.orders
            .filter((o) => o.account === call.account)
            .map((o) => this.url('order', o.id)) } };
    }

    keyChange(call) {
        const inner = jose.parse(call.payload);
        const jwk = inner.header.jwk;
        const key = jose.readKey(jwk);
        const asked = jose.parseObject(inner.payload, 'keyChange');
        const mark = jose.thumbprint(jwk);

        jose.verify(inner, jwk, key);

        if ('nonce' in inner.header || 'kid' in inner.header
            || inner.header.url !== call.url)
        {
            throw malformed('inner JWS has a bad header');
        }
        if (asked.account !== this.url('account', call.account.id)
            || !asked.oldKey
            || jose.thumbprint(asked.oldKey) !== call.account.mark)
        {
            throw malformed('inner JWS is for another account or key');
        }

        const other = this.byThumbprint.get(mark);

        if (other) {
            throw new Problem(409, 'conflict', 'key has an account already', {
                headers: { Location: this.url('account', other.id) }
            });
        }

        this.byThumbprint.delete(call.account.mark);
        this.byThumbprint.set(mark, call.account);
        Object.assign(call.account, { jwk, key, mark });
        return this.showAccount(call.account);
    }

    // Orders

    newOrder(call) {
        const p = call.payload;
        const s = this.settings;

        orders.checkIdentifiers(p.identifiers, s);

        if ('notBefore' in p || ('notAfter' in p && !s.not_after)) {
            throw malformed('notBefore and notAfter are not supported');
        }
        if (p.profile !== undefined
            && !Object.hasOwn(s.profiles || {}, p.profile))
        {
            throw new Problem(400, 'invalidProfile', 'no such profile');
        }

        const slot = call.account.id + ' '
            + p.identifiers.map(orders.key).sort().join();
        const old = s.reuse_orders && this.pending.get(slot);

        if (old && this.refresh(old) && old.profile === p.profile
            && ['pending', 'ready'].includes(old.status))
        {
            return this.showOrder(old, 201);
        }

        const replaced = this.checkReplaces(call);
        const order = {
            id: this.orders.length + 1, account: call.account,
            identifiers: p.identifiers, status: 'pending',
            expires: now() + s.order_life, profile: p.profile,
            replaces: p.replaces, notAfter: p.notAfter, polls: 0
        };

        this.orders.push(order);
        this.pending.set(slot, order);
        order.authzs = p.identifiers.map((i) => this.authorize(order, i));

        if (replaced) {
            replaced.replacedBy = order;
        }

        return this.showOrder(order, 201);
    }

    // RFC 9773 section 5
    checkReplaces(call) {
        const id = call.payload.replaces;

        if (id === undefined) {
            return null;
        }

        const old = this.byAri.get(id);

        if (!old || old.order.account !== call.account) {
            throw malformed('replaces names no certificate of this account');
        }
        if (!old.order.identifiers.some((a) => call.payload.identifiers.some(
            (b) => orders.key(a) === orders.key(b))))
        {
            throw malformed('replaces names one of other identifiers');
        }
        if (old.replacedBy && this.refresh(old.replacedBy).status !== 'invalid')
        {
            throw new Problem(409, 'alreadyReplaced',
                              'certificate was replaced already');
        }

        return old;
    }

    authorize(order, identifier) {
        const wildcard = identifier.value.startsWith('*.');
        const plain = { type: identifier.type,
                        value: identifier.value.replace(/^\*\./, '') };
        const known = this.settings.reuse_authz && this.authzs.find(
            (a) => a.status === 'valid' && a.account === order.account
                && a.wildcard === wildcard && a.expires > now()
                && orders.key(a.identifier) === orders.key(plain));

        if (known) {
            return known;
        }

        const types = this.settings.types.filter(
            (t) => (wildcard ? t.startsWith('dns-')
                             : identifier.type === 'dns'
                               || !t.startsWith('dns-')));
        const authz = {
            id: this.authzs.length + 1, account: order.account, wildcard,
            identifier: plain, status: 'pending', expires: order.expires
        };

        authz.challenges = types.map((type) => ({
            type, status: 'pending', authz,
            ...(type === 'dns-persist-01'
                ? { domains: this.settings.domains,
                    account: this.url('account', order.account.id) }
                : { token: crypto.randomBytes(32).toString('base64url') })
        }));
        this.authzs.push(authz);
        return authz;
    }

    // What time and authorizations made of an order.
    refresh(order) {
        const states = order.authzs.map((a) => a.status);

        if (['pending', 'ready'].includes(order.status)
            && order.expires < now())
        {
            order.status = 'invalid';
        }

        if (order.status === 'pending') {
            if (states.every((s) => s === 'valid')) {
                order.status = 'ready';

            } else if (states.some((s) => !['pending', 'valid'].includes(s))) {
                order.status = 'invalid';
                order.error = {
                    type: 'urn:ietf:params:acme:error:unauthorized',
                    detail: 'an authorization failed', status: 403,
                    subproblems: order.authzs.filter((a) => a.error).map(
                        (a) => Object.assign({ identifier: a.identifier },
                                             a.error))
                };
            }
        }

        return order;
    }

    showOrder(order, status = 200) {
        this.refresh(order);

        const headers = order.status === 'processing'
            ? this.retryAfter('order') : {};

        return { status, headers: Object.assign(headers, {
            Location: this.url('order', order.id) }), body: {
            status: order.status, expires: rfc3339(order.expires),
            identifiers: order.identifiers, profile: order.profile,
            error: order.error, replaces: order.replaces,
            authorizations: order.authzs.map((a) => this.url('authz', a.id)),
            finalize: this.url('finalize', order.id),
            ...(order.status === 'valid' && {
                certificate: this.url('cert', order.cert.id) })
        } };
    }

    retryAfter(what) {
        const seconds = this.settings.retry_after[what];

        if (seconds === undefined) {
            return {};
        }

        return { 'Retry-After': this.settings.retry_dates
            ? new Date(Date.now() + seconds * 1000).toUTCString()
            : String(seconds) };
    }

    mine(list, call) {
        const found = list[Number(call.id) - 1];

        if (!found) {
            throw new Problem(404, 'malformed', 'no such resource');
        }
        if ((found.account || found.order.account) !== call.account) {
            throw new Problem(403, 'unauthorized', 'of another account');
        }

        return found;
    }

    order(call) {
        const order = this.mine(this.orders, call);

        if (order.status === 'processing'
            && ++order.polls > this.settings.processing)
        {
            order.status = 'valid';
        }

        return this.showOrder(order);
    }

    finalize(call) {
        const order = this.mine(this.orders, call);

        if (this.refresh(order).status !== 'ready') {
            throw new Problem(403, 'orderNotReady',
                              'order is ' + order.status);
        }

        const csr = jose.decode(call.payload.csr, 'csr');
        const spki = orders.checkRequest(csr, order, call.account.key);

        order.cert = this.issue(order, spki);
        order.status = this.settings.processing ? 'processing' : 'valid';
        return this.showOrder(order);
    }

    issue(order, spki) {
        const s = this.settings;
        const life = order.profile ? s.profiles[order.profile] : s.validity;
        const names = order.identifiers.map((i) => i.value);

        const make = (list, key, from = -s.backdate, to = life) => {
            const t = Math.floor(now() + s.skew);    // as its clock says
            const end = order.notAfter && to === life
                ? Date.parse(order.notAfter) / 1000 : t + to;
            return this.issuer.leaf(list, key, t + from, end);
        };

        const kind = s.chain;
        const made = orders.CHAINS[kind] ? orders.CHAINS[kind](names, spki,
                                                               make)
                                         : make(names, spki);
        const cert = Object.assign(made, {
            id: this.certs.length + 1, order, names, chain: kind, spki
        });

        this.certs.push(cert);
        this.byAri.set(cert.ari, cert);
        return cert;
    }

    // As if the account had ordered it, with a key that is given away, too.
    give(account, names) {
        const pair = newKey();
        const order = {
            id: this.orders.length + 1, account, status: 'valid', authzs: [],
            identifiers: names.map((value) => ({ type: 'dns', value })),
            expires: now() + this.settings.order_life, polls: 0
        };

        this.orders.push(order);
        order.cert = this.issue(order, spkiOf(pair.publicKey));

        return {
            serial: order.cert.serial, ari: order.cert.ari,
            chain: this.issuer.chain(order.cert.der),
            key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' })
        };
    }

    certificate(call) {
        const [id, n] = call.id.split('.');
        const cert = this.mine(this.certs, Object.assign({}, call, { id }));
        const accept = call.accept || '*/*';
        let text = this.issuer.chain(cert.der, Number(n || 0));

        if (!/\*\/\*|application\/(\*|pem-certificate-chain)/.test(accept)) {
            throw new Problem(406, 'malformed', 'not acceptable');
        }
        if (orders.TEXTS[cert.chain]) {
            text = orders.TEXTS[cert.chain](text, this.issuer.roots[0].pem);
        }

        return { status: 200, text, type: 'application/pem-certificate-chain',
                 headers: { Link: this.issuer.across.map(
                     (_, i) => `<${this.url('cert', `${cert.id}.${i + 1}`)}>`
                               + ';rel="alternate"') } };
    }

    // Authorizations

    authz(call) {
        const authz = this.mine(this.authzs, call);

        if (call.payload && call.payload.status === 'deactivated') {
            authz.status = 'deactivated';
        }

        return {
            status: 200,
            headers: authz.status === 'pending' ? this.retryAfter('authz') : {},
            body: {
                identifier: authz.identifier, status: authz.status,
                expires: rfc3339(authz.expires),
                ...(authz.wildcard && { wildcard: true }),
                challenges: authz.challenges.map((c) => this.showChallenge(c))
            }
        };
    }

    showChallenge(c) {
        const n = c.authz.challenges.indexOf(c);

        return { type: c.type, status: c.status, token: c.token,
                 'issuer-domain-names': c.domains, accounturi: c.account,
                 url: this.url('chall', `${c.authz.id}.${n}`),
                 error: c.error };
    }

    challenge(call) {
        const [id, n] = call.id.split('.');
        const authz = this.mine(this.authzs, Object.assign({}, call, { id }));
        const challenge = authz.challenges[Number(n)];

        if (!challenge) {
            throw new Problem(404, 'malformed', 'no such challenge');
        }

        if (call.payload !== null) {
            if (Object.keys(call.payload).length > 0) {
                throw malformed('a challenge is answered by {}');
            }
            if (authz.status !== 'pending' || challenge.status !== 'pending') {
                throw malformed('challenge is not pending');
            }
            this.validate(challenge, call.account);
        }

        return { status: 200, body: this.showChallenge(challenge), headers: {
            Link: [`<${this.url('authz', authz.id)}>;rel="up"`] } };
    }

    validate(challenge, account) {
        const authz = challenge.authz;
        const done = (error) => {
            challenge.status = authz.status = error ? 'invalid' : 'valid';
            if (error) {
                challenge.error = authz.error = error;
            }
        };

        challenge.status = 'processing';

        if (this.settings.validate) {
            validators[challenge.type](
                this.settings, authz.identifier, challenge.token,
                challenge.token + '.' + account.mark,
                { account: challenge.account, wildcard: authz.wildcard })
                .then(done);

        } else if (this.settings.validation > 0) {
            setTimeout(done, this.settings.validation, null);

        } else {
            done(null);
        }
    }

    // Certificates that are there

    revokeCert(call) {
        const data = jose.decode(call.payload.certificate, 'certificate');
        const cert = this.certs.find((c) => c.der.equals(data));
        const reason = call.payload.reason;

        if (!cert) {
            throw new Problem(404, 'malformed', 'no such certificate');
        }
        if (reason !== undefined && !REASONS.includes(reason)) {
            throw new Problem(400, 'badRevocationReason',
                              'allowed: ' + REASONS.join());
        }
        if (call.account ? cert.order.account !== call.account
                         : !spkiOf(call.key).equals(cert.spki))
        {
            throw new Problem(403, 'unauthorized', 'not yours to revoke');
        }
        if (cert.revoked !== undefined) {
            throw new Problem(400, 'alreadyRevoked', 'revoked before');
        }

        cert.revoked = reason || 0;
        return { status: 200 };
    }

    renewalInfo(call) {
        const cert = this.byAri.get(call.id);

        if (!cert) {
            throw new Problem(404, 'malformed', 'no such certificate');
        }

        const [a, b] = this.settings.ari_window;
        const life = cert.to - cert.from;
        const window = cert.window || [cert.from + life * a,
                                       cert.from + life * b];

        return {
            status: 200,
            headers: { 'Retry-After': String(this.settings.ari_retry) },
            body: { suggestedWindow: { start: rfc3339(window[0]),
                                       end: rfc3339(window[1]) },
                    explanationURL: cert.explanation }
        };
    }
}


module.exports = { Flow };
