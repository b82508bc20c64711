// Google Cloud DNS and where its tokens come from: it verifies assertions of a
// service account (RS256, audience, times) and plays the metadata server.
// Changes are taken as a whole.
//
// account → {json}, the key of a service account; zone {id, name, private};
// put/remove {zone, set}; dump {zone}; set {page, pending, life, project}

'use strict';

const crypto = require('crypto');

const { run, fqdn, Refusal } = require('./cloud.js');

const SCOPE = 'https://www.googleapis.com/auth/ndev.clouddns.readwrite';
const EMAIL = 'torii@project-1.iam.gserviceaccount.com';

const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

let zones, tokens, settings, provider;


function reset() {
    zones = new Map();
    tokens = new Map();
    settings = { page: 1000, pending: 1, life: 3600, project: 'project-1',
                 skew: 0 };
}


function json(body, status = 200) {
    return { status, type: 'application/json; charset=UTF-8',
             body: JSON.stringify(body) };
}

function refusal(code, reason, message, headers) {
    const answer = json({ error: { code, message, errors: [
        { domain: 'global', reason, message }] } }, code);
    return new Refusal(Object.assign(answer, { headers }));
}


// Tokens

function grant() {
    const token = 'ya29.' + crypto.randomBytes(40).toString('base64url');

    tokens.set(token, Date.now() + settings.life * 1000);
    return json({ access_token: token, expires_in: settings.life,
                  token_type: 'Bearer' });
}

function assertion(request) {
    const form = new URLSearchParams(request.body.toString());
    const bad = (text) => new Refusal(json({
        error: 'invalid_grant', error_description: text }, 400));
    const parts = (form.get('assertion') || '').split('.');
    const now = Date.now() / 1000 + settings.skew;

    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer'
        || parts.length !== 3
        || request.headers['content-type']
           !== 'application/x-www-form-urlencoded')
    {
        throw bad('no assertion');
    }

    const [header, claims] = parts.slice(0, 2).map((part) =>
        JSON.parse(Buffer.from(part, 'base64url')));

    if (header.alg !== 'RS256' || header.typ !== 'JWT' || header.kid !== 'key-1'
        || !crypto.verify('RSA-SHA256', Buffer.from(parts.slice(0, 2)
            .join('.')), pair.publicKey, Buffer.from(parts[2], 'base64url')))
    {
        throw bad('Invalid JWT Signature.');
    }
    if (claims.iss !== EMAIL || claims.scope !== SCOPE
        || claims.aud !== provider.url + '/token')
    {
        throw bad('claims: ' + JSON.stringify(claims));
    }
    if (!(claims.iat <= now + 300) || !(claims.exp > now)
        || claims.exp - claims.iat > 3600)
    {
        throw bad('Invalid JWT: Token must be a short-lived token and in a '
            + 'reasonable timeframe.');
    }
    return grant();
}

function machine(request) {
    if (request.headers['metadata-flavor'] !== 'Google') {
        throw new Refusal({ status: 403, type: 'text/html', body: 'no' });
    }
    if (request.url.endsWith('/project/project-id')) {
        return { status: 200, type: 'application/text',
                 body: settings.project };
    }
    if (request.url.endsWith('/instance/service-accounts/default/token')) {
        return grant();
    }
    throw new Refusal({ status: 404, type: 'text/html', body: 'no' });
}

function authorize(request) {
    const token = (request.headers.authorization || '').replace('Bearer ', '');

    if (!(tokens.get(token) > Date.now())) {
        throw refusal(401, 'authError', 'Invalid Credentials');
    }
}


// Sets

function keyOf(set) {
    return set.name + ' ' + set.type;
}

function resource(set) {
    return { kind: 'dns#resourceRecordSet', name: set.name, type: set.type,
             ttl: set.ttl, rrdatas: set.policy ? [] : set.values,
             signatureRrdatas: [], routingPolicy: set.policy };
}

function check(zone, set, what) {
    const target = ['CNAME', 'NS'].includes(set.type);

    if (typeof set.name !== 'string' || !set.name.endsWith('.' + zone.name)
        && set.name !== zone.name)
    {
        throw refusal(400, 'invalid', `Invalid value for 'entity.change.${what}`
            + `.name': '${set.name}'`);
    }
    if (!Number.isInteger(set.ttl) || !Array.isArray(set.rrdatas)
        || !set.rrdatas.length
        || Object.keys(set).some((k) => !['name', 'type', 'ttl', 'rrdatas']
            .includes(k))
        || set.rrdatas.some((v) => typeof v !== 'string'
            || (target && !v.endsWith('.')) || v.includes('refuse-me')
            || (set.type === 'TXT' && !/^("(\\.|[^"\\])*"\s*)+$/.test(v))))
    {
        throw refusal(400, 'invalid', `Invalid value for 'entity.change.${what}`
            + `.rrdata': '${set.rrdatas}'`);
    }
}

function change(zone, request) {
    const body = JSON.parse(request.body);
    const additions = body.additions || [];
    const deletions = body.deletions || [];
    const sets = new Map(zone.sets);
    const canonical = (ttl, values) => JSON.stringify([ttl,
                                                       [...values].sort()]);

    if (additions.length > 1000 || deletions.length > 1000
        || [...additions, ...deletions].map((s) => s.rrdatas.join(''))
            .join('').length > 200000)
    {
        throw refusal(400, 'invalid', 'the change is too large');
    }

    deletions.forEach((set, i) => {
        check(zone, set, `deletions[${i}]`);
        const have = sets.get(keyOf(set));
        const told = `The resource 'entity.change.deletions[${i}]' named `
            + `'${set.name} (${set.type})'`;

        if (!have) {
            throw refusal(404, 'notFound', `${told} does not exist.`);
        }
        if (have.policy || canonical(have.ttl, have.values)
                           !== canonical(set.ttl, set.rrdatas))
        {
            throw refusal(412, 'conditionNotMet', 'Precondition not met for '
                + `'entity.change.deletions[${i}]'`);
        }
        sets.delete(keyOf(set));
    });

    additions.forEach((set, i) => {
        check(zone, set, `additions[${i}]`);

        if (sets.has(keyOf(set))) {
            throw refusal(409, 'alreadyExists', 'The resource '
                + `'entity.change.additions[${i}]' named '${set.name} `
                + `(${set.type})' already exists`);
        }
        const others = [...sets.values()].filter((s) => s.name === set.name);
        if (others.length && (set.type === 'CNAME'
                              || others.some((s) => s.type === 'CNAME')))
        {
            throw refusal(400, 'cnameResourceRecordSetConflict',
                          'conflicts with a CNAME');
        }
        sets.set(keyOf(set), { name: set.name, type: set.type, ttl: set.ttl,
                               values: set.rrdatas });
    });

    zone.sets = sets;
    return record(zone);
}

function record(zone) {
    const made = { kind: 'dns#change', id: String(zone.changes.length),
                   polls: settings.pending };

    zone.changes.push(made);
    return shown(made);
}

function shown(made) {
    return { kind: made.kind, id: made.id,
             status: made.polls > 0 ? 'pending' : 'done' };
}

function paged(all, query, name) {
    const at = query.get('pageToken')
        ? Number(Buffer.from(query.get('pageToken'), 'base64').toString()
            .replace('at:', '')) : 0;
    const max = Math.min(Number(query.get('maxResults') || 100),
                         settings.page);
    const answer = { kind: 'dns#list' };

    if (all.length) {
        answer[name] = all.slice(at, at + max);
    }
    if (all.length > at + max) {
        answer.nextPageToken = Buffer.from('at:' + (at + max))
            .toString('base64');
    }
    return json(answer);
}

function service(request) {
    authorize(request);

    const [path, search] = request.url.split('?');
    const query = new URLSearchParams(search);
    const match = new RegExp('^/dns/v1/projects/([\\w-]+)/managedZones'
        + '(?:/([\\w-]+)(?:/(rrsets|changes)(?:/(\\d+))?)?)?$').exec(path);

    if (!match || match[1] !== settings.project) {
        throw refusal(404, 'notFound', 'no ' + path);
    }
    if (!match[2]) {
        return paged([...zones.values()].map((z) => ({
            kind: 'dns#managedZone', name: z.id, id: '12345', dnsName: z.name,
            visibility: z.private ? 'private' : 'public',
            peeringConfig: z.peering ? { targetNetwork: {} } : undefined
        })), query, 'managedZones');
    }

    const zone = zones.get(match[2]);
    if (!zone) {
        throw refusal(404, 'notFound', `The 'parameters.managedZone' resource `
            + `named '${match[2]}' does not exist.`);
    }
    if (match[3] === 'rrsets' && request.method === 'GET') {
        if (query.get('type') && !query.get('name')) {
            throw refusal(400, 'required', 'name');
        }
        return paged([...zone.sets.values()].filter((s) =>
            (!query.get('name') || s.name === query.get('name'))
            && (!query.get('type') || s.type === query.get('type')))
            .map(resource), query, 'rrsets');
    }
    if (match[3] === 'changes' && request.method === 'POST') {
        return json(change(zone, request));
    }
    if (match[3] === 'changes' && match[4]) {
        const made = zone.changes[Number(match[4])];
        made.polls--;
        return json(shown(made));
    }
    if (match[3] === 'changes') {
        const all = zone.changes.map(shown);
        if (query.get('sortOrder') === 'descending') {
            all.reverse();
        }
        return paged(all, query, 'changes');
    }
    throw refusal(405, 'invalid', request.method);
}

function handle(request) {
    if (request.url === '/token' && request.method === 'POST') {
        return assertion(request);
    }
    if (request.url.startsWith('/computeMetadata/v1/')) {
        return machine(request);
    }
    return service(request);
}


reset();

provider = {
    handle, reset,
    throttle: () => refusal(403, 'rateLimitExceeded',
                            'Rate Limit Exceeded').answer,
    change: (answer, { what }) => {
        const body = JSON.parse(answer.body);
        if (what === 'drop') {
            body.rrsets.pop();
        } else {
            delete body.nextPageToken;
        }
        return Object.assign(answer, { body: JSON.stringify(body) });
    },
    commands: {
        account: () => ({ json: JSON.stringify({
            type: 'service_account', project_id: settings.project,
            private_key_id: 'key-1', client_email: EMAIL,
            private_key: pair.privateKey.export({ type: 'pkcs8',
                                                  format: 'pem' }),
            token_uri: provider.url + '/token' }) }),
        set: ({ settings: more }) => { Object.assign(settings, more); },
        revoke: () => { tokens.clear(); },
        zone: ({ id, name, private: hidden, peering }) => {
            const zone = { id, name: fqdn(name), private: hidden, peering,
                           sets: new Map(), changes: [] };
            for (const set of [
                { name: zone.name, type: 'NS', ttl: 21600,
                  values: ['ns-cloud-a1.googledomains.com.'] },
                { name: zone.name, type: 'SOA', ttl: 21600, values: [
                    'ns-cloud-a1.googledomains.com. a.b. 1 21600 3600 259200 '
                    + '300'] }
            ]) {
                zone.sets.set(keyOf(set), set);
            }
            zones.set(id, zone);
            record(zone);
        },
        put: ({ zone, set }) => {
            const full = Object.assign({}, set, { name: fqdn(set.name) });
            zones.get(zone).sets.set(keyOf(full), full);
            record(zones.get(zone));
        },
        remove: ({ zone, set }) => {
            zones.get(zone).sets.delete(fqdn(set.name) + ' ' + set.type);
            record(zones.get(zone));
        },
        dump: ({ zone }) => ({ sets: [...zones.get(zone).sets.values()] })
    }
};

run(provider);
