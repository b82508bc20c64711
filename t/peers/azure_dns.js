// Azure DNS as the Resource Manager has it, and where its tokens come from.  It
// holds each write to its condition: If-Match, If-None-Match.
//
// zone {id, name, private}; put/remove {zone, set}; dump {zone};
// set {page, secret, federated, life, private}

'use strict';

const crypto = require('crypto');

const { run, Refusal } = require('./cloud.js');

const FIELDS = { A: ['ARecords', 'ipv4Address'],
                 AAAA: ['AAAARecords', 'ipv6Address'],
                 CNAME: ['CNAMERecord', 'cname'],
                 TXT: ['TXTRecords', 'value'] };

let zones, tokens, settings, provider, serial;


function reset() {
    zones = new Map();
    tokens = new Map();
    serial = 0;
    settings = { page: 100, secret: 'client-secret', federated: 'federated',
                 client: 'client-1', tenant: 'tenant-1', life: 3599,
                 subscription: 'sub-1', group: 'group-1', private: false };
}

function json(body, status = 200, headers = {}) {
    return { status, type: 'application/json; charset=utf-8',
             body: JSON.stringify(body), headers };
}

function refusal(status, code, message, headers) {
    return new Refusal(json({ error: { code, message } }, status, headers));
}

function etag() {
    return `${++serial}-` + crypto.randomBytes(4).toString('hex');
}


// Tokens

function grant(asString) {
    const token = crypto.randomBytes(40).toString('base64url');

    tokens.set(token, Date.now() + settings.life * 1000);
    return json({ token_type: 'Bearer', access_token: token,
                  expires_in: asString ? String(settings.life)
                                       : settings.life });
}

function login(request) {
    const form = new URLSearchParams(request.body.toString());
    const bad = (error) => new Refusal(json({
        error, error_description: 'AADSTS7000215: ' + error }, 401));

    if (request.url !== `/${settings.tenant}/oauth2/v2.0/token`
        || form.get('grant_type') !== 'client_credentials'
        || form.get('scope') !== provider.url + '/.default'
        || form.get('client_id') !== settings.client)
    {
        throw bad('invalid_request');
    }
    if (form.has('client_assertion')) {
        if (form.get('client_assertion') !== settings.federated
            || form.get('client_assertion_type')
               !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
            || form.has('client_secret'))
        {
            throw bad('invalid_client');
        }
    } else if (form.get('client_secret') !== settings.secret) {
        throw bad('invalid_client');
    }
    return grant();
}

function machine(request, query) {
    if (request.headers.metadata !== 'true'
        || query.get('api-version') !== '2018-02-01'
        || query.get('resource') !== provider.url + '/')
    {
        throw new Refusal(json({ error: 'invalid_request' }, 400));
    }
    return grant(true);
}


// Sets

function field(name) {
    return settings.private ? name[0].toLowerCase() + name.slice(1)
        .replace(/^AAARecords/, 'aaaRecords')
        .replace(/^NAMERecord/, 'nameRecord')
        .replace(/^XTRecords/, 'xtRecords') : name;
}

function relative(zone, name) {
    name = name.toLowerCase().replace(/\.$/, '');
    return name === zone.name ? '@' : name.slice(0, -zone.name.length - 1);
}

function resource(zone, set) {
    const properties = { fqdn: set.name + '.', metadata: set.metadata || null,
                         targetResource: { id: set.target || null },
                         provisioningState: 'Succeeded' };
    properties[settings.private ? 'ttl' : 'TTL'] = set.ttl;

    if (FIELDS[set.type]) {
        const [list, member] = FIELDS[set.type];
        const values = (set.values || []).map((v) => ({
            [member]: set.type === 'TXT' ? v.match(/.{1,255}/gs) : v }));
        properties[field(list)] = set.type === 'CNAME' ? values[0] : values;
    }
    return { id: '/x', name: relative(zone, set.name), etag: set.etag,
             type: 'Microsoft.Network/' + (settings.private
                 ? 'privateDnsZones/' : 'dnszones/') + set.type, properties };
}

function read(zone, type, name, body) {
    const { properties } = JSON.parse(body);
    const [list, member] = FIELDS[type];
    const ttl = properties[settings.private ? 'ttl' : 'TTL'];
    const records = [].concat(properties[field(list)] || []);

    if (!Number.isInteger(ttl) || !records.length
        || records.length > 20
        || Object.keys(properties).length !== 3
        || records.some((r) => type === 'TXT'
            ? !Array.isArray(r.value) || r.value.some((s) => s.length > 255)
            : typeof r[member] !== 'string' || r[member].endsWith('.')
              || r[member].includes('refuse-me')))
    {
        throw refusal(400, 'BadRequest', 'The request was invalid');
    }
    return { name: name === '@' ? zone.name : name + '.' + zone.name, type,
             ttl, metadata: properties.metadata,
             values: records.map((r) => type === 'TXT' ? r.value.join('')
                 : r[member]) };
}

function write(zone, type, name, request) {
    const key = name.toLowerCase() + ' ' + type;
    const have = zone.sets.get(key);
    const { 'if-match': match, 'if-none-match': none } = request.headers;

    if ((match === undefined) === (none === undefined)) {
        throw refusal(400, 'BadRequest', 'a test wants one condition');
    }
    if (none !== undefined ? have : !have || have.etag !== match) {
        throw refusal(412, 'PreconditionFailed', 'The condition '
            + `'${match || none}' in the request was not satisfied`);
    }
    if (request.method === 'DELETE') {
        zone.sets.delete(key);
        return { status: 200, type: undefined, body: '' };
    }

    const others = [...zone.sets.values()].filter((s) => s !== have
        && relative(zone, s.name) === name);
    if (others.length && (type === 'CNAME'
                          || others.some((s) => s.type === 'CNAME')))
    {
        throw refusal(400, 'BadRequest', 'The record could not be created '
            + 'because a CNAME record set with the same name exists');
    }

    const set = Object.assign(read(zone, type, name, request.body),
                              { etag: etag() });
    zone.sets.set(key, set);
    return json(resource(zone, set), have ? 200 : 201);
}

function zoneJson(zone) {
    return { id: '/x', name: zone.name, type: 'Microsoft.Network/dnszones',
             location: 'global', etag: zone.etag,
             properties: { numberOfRecordSets: zone.sets.size,
                           maxNumberOfRecordSets: 10000,
                           zoneType: zone.private ? 'Private' : 'Public' } };
}

function paged(all, url, query) {
    const at = Number(query.get('$skipToken') || 0);
    const more = all.length > at + settings.page;
    const next = new URL(url, provider.url);

    next.searchParams.set('$skipToken', at + settings.page);
    return json({ value: all.slice(at, at + settings.page),
                  nextLink: more ? String(next) : undefined });
}

function service(request, path, query) {
    const token = (request.headers.authorization || '').replace('Bearer ', '');
    const base = `/subscriptions/${settings.subscription}/resourceGroups/`
        + `${settings.group}/providers/Microsoft.Network/`
        + (settings.private ? 'privateDnsZones' : 'dnsZones');

    if (!(tokens.get(token) > Date.now())) {
        throw refusal(401, 'ExpiredAuthenticationToken', 'The access token '
            + 'has expired');
    }
    if (query.get('api-version') !== (settings.private ? '2020-06-01'
                                                       : '2018-05-01'))
    {
        throw refusal(400, 'InvalidApiVersionParameter', request.url);
    }
    if (!path.startsWith(base)) {
        throw refusal(404, 'ResourceGroupNotFound', path);
    }

    const [, id, type, name] = path.slice(base.length).split('/')
        .map(decodeURIComponent);
    if (id === undefined) {
        return paged([...zones.values()].map(zoneJson), request.url, query);
    }

    const zone = zones.get(id);
    if (!zone) {
        throw refusal(404, 'ResourceNotFound', `no zone ${id}`);
    }
    if (type === undefined) {
        return json(zoneJson(zone));
    }
    if (type.toLowerCase() === 'all') {
        return paged([...zone.sets.values()].map((s) => resource(zone, s)),
                     request.url, query);
    }
    if (!name || !FIELDS[type]) {
        throw refusal(400, 'BadRequest', path);
    }
    if (request.method !== 'GET') {
        return write(zone, type, name, request);
    }

    const set = zone.sets.get(name + ' ' + type);
    if (!set) {
        throw refusal(404, 'NotFound', `The resource record '${name}' does not `
            + 'exist');
    }
    return json(resource(zone, set));
}

function handle(request) {
    const [path, search] = request.url.split('?');
    const query = new URLSearchParams(search);

    if (path.endsWith('/oauth2/v2.0/token') && request.method === 'POST') {
        return login(request);
    }
    if (path === '/metadata/identity/oauth2/token') {
        return machine(request, query);
    }
    return service(request, path, query);
}


reset();

provider = {
    handle, reset,
    throttle: ({ after }) => refusal(429, 'TooManyRequests', 'slow down',
                                     { 'Retry-After': String(after || 2) })
        .answer,
    change: (answer, { what, link }) => {
        const body = JSON.parse(answer.body);
        if (what === 'drop') {
            body.value.pop();
        } else if (what === 'link') {
            body.nextLink = link;
        } else {
            delete body.nextLink;
        }
        return Object.assign(answer, { body: JSON.stringify(body) });
    },
    commands: {
        set: ({ settings: more }) => { Object.assign(settings, more); },
        revoke: () => { tokens.clear(); },
        zone: ({ id, name, private: hidden }) => {
            const zone = { id, name, private: hidden, etag: etag(),
                           sets: new Map() };
            for (const type of ['NS', 'SOA']) {
                zone.sets.set('@ ' + type, { name, type, ttl: 3600,
                                             etag: etag() });
            }
            zones.set(id, zone);
        },
        put: ({ zone, set }) => {
            const z = zones.get(zone);
            z.sets.set(relative(z, set.name) + ' ' + set.type,
                       Object.assign({}, set, { etag: etag() }));
        },
        remove: ({ zone, set }) => {
            const z = zones.get(zone);
            z.sets.delete(relative(z, set.name) + ' ' + set.type);
        },
        dump: ({ zone }) => ({ sets: [...zones.get(zone).sets.values()] })
    }
};

run(provider);
