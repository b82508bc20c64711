// DigitalOcean's API, version 2: domains and records, one at a time.
//
// zone {name}; put {zone, records: [{type, name, data, ttl}]};
// remove {zone, name, type}; dump {zone}; set {token}

'use strict';

const net = require('net');

const { run, Refusal } = require('./cloud.js');

const TYPES = ['A', 'AAAA', 'CNAME', 'TXT', 'NS', 'SOA', 'MX', 'SRV', 'CAA'];
const PAGE_MAX = 200;

let zones, settings, next;


function reset() {
    zones = new Map();
    settings = { token: 'digitalocean-token' };
    next = 1000;
}


function answer(status, body, headers = {}) {
    return {
        status, type: 'application/json; charset=utf-8',
        headers: Object.assign({
            'ratelimit-limit': '5000', 'ratelimit-remaining': '4999',
            'ratelimit-reset': String(Math.floor(Date.now() / 1000) + 60)
        }, headers),
        body: body === undefined ? '' : JSON.stringify(body)
    };
}

function refuse(status, id, message) {
    throw new Refusal(answer(status, { id, message }));
}


function page(url, key, list) {
    const number = Number(url.searchParams.get('page') || 1);
    const size = Number(url.searchParams.get('per_page') || 20);

    if (!(number >= 1) || !(size >= 1) || size > PAGE_MAX) {
        refuse(422, 'unprocessable_entity', 'page or per_page');
    }

    const last = Math.max(1, Math.ceil(list.length / size));
    const links = number < last
        ? { pages: { next: `${url.origin}${url.pathname}?page=${number + 1}`,
                     last: `${url.origin}${url.pathname}?page=${last}` } }
        : {};

    return answer(200, {
        [key]: list.slice((number - 1) * size, number * size), links,
        meta: { total: list.length }
    });
}


function check(zone, record, id) {
    const { type, name, data, ttl } = record;

    for (const key of Object.keys(record)) {
        if (!['type', 'name', 'data', 'ttl', 'priority', 'port', 'weight',
              'flags', 'tag', 'id'].includes(key)) {
            refuse(422, 'unprocessable_entity', `unknown member ${key}`);
        }
    }

    const bad = !TYPES.includes(type) ? 'type'
        : typeof name !== 'string'
          || !/^(@|(\*\.|\*$)?([\w-]+(\.[\w-]+)*)?)$/.test(name)
          || name.endsWith('.' + zone.name) ? 'name'
        : typeof data !== 'string' || !data ? 'data'
        : type === 'A' && !net.isIPv4(data) ? 'A'
        : type === 'AAAA' && !net.isIPv6(data) ? 'AAAA'
        : type === 'CNAME' && !data.endsWith('.') ? 'CNAME needs a dot'
        : ttl !== undefined && !(Number.isInteger(ttl) && ttl >= 30) ? 'ttl'
        : null;

    if (bad) {
        refuse(422, 'unprocessable_entity', `invalid: ${bad}`);
    }

    for (const other of zone.records.values()) {
        if (other.name !== name || other.id === id) {
            continue;
        }
        if ((type === 'CNAME' || other.type === 'CNAME')
            && other.type !== 'TXT') {
            refuse(422, 'unprocessable_entity',
                   'CNAME records cannot share a name with other records');
        }
    }

    return { type, name, ttl: ttl === undefined ? 1800 : ttl, priority: null,
             data: type === 'CNAME' ? data.slice(0, -1) : data };
}


function put(zone, record, id) {
    const whole = Object.assign({ id: id || next++ },
                                check(zone, record, id));
    zone.records.set(whole.id, whole);
    return whole;
}


function records(zone, request, url, rest) {
    const id = Number(rest.slice(1));
    const old = zone.records.get(id);

    if (request.method === 'GET' && rest === '') {
        const name = url.searchParams.get('name');
        const type = url.searchParams.get('type');

        if (name && name !== zone.name && !name.endsWith('.' + zone.name)) {
            refuse(422, 'unprocessable_entity', 'name is not in this domain');
        }

        return page(url, 'domain_records', [...zone.records.values()].filter(
            (record) => (!type || record.type === type)
                && (!name || name === (record.name === '@' ? zone.name
                    : `${record.name}.${zone.name}`))));
    }

    if (rest && !old) {
        refuse(404, 'not_found', 'The resource you requested could not be '
               + 'found.');
    }

    if (request.method === 'DELETE' && old) {
        zone.records.delete(id);
        return answer(204);
    }

    if (request.method !== 'PUT' && request.method !== 'POST') {
        refuse(405, 'method_not_allowed', 'no');
    }

    const body = JSON.parse(request.body.toString());

    return request.method === 'PUT'
        ? answer(200, { domain_record: put(zone, body, id) })
        : answer(201, { domain_record: put(zone, body) });
}


const provider = {
    reset,

    handle(request) {
        const url = new URL(request.url, 'http://x');
        const path = /^\/v2\/domains(\/([\w.-]+)\/records(.*))?$/.exec(
            url.pathname);

        if (request.headers.authorization !== `Bearer ${settings.token}`) {
            refuse(401, 'Unauthorized', 'Unable to authenticate you');
        }

        if (path && !path[1] && request.method === 'GET') {
            return page(url, 'domains', [...zones.keys()].map(
                (name) => ({ name, ttl: 1800, zone_file: '' })));
        }

        const zone = path && zones.get(path[2]);

        if (!zone) {
            refuse(404, 'not_found', 'no such domain');
        }

        return records(zone, request, url, path[3]);
    },

    throttle: (fault) => answer(429, {
        id: 'too_many_requests', message: 'API Rate limit exceeded.'
    }, { 'ratelimit-reset': String(Math.floor(Date.now() / 1000)
                                   + (fault.seconds || 120)) }),

    change(got, fault) {
        const body = JSON.parse(got.body);
        if (fault.total) {
            body.meta.total += fault.total;
        }
        return Object.assign(got, { body: JSON.stringify(body) });
    },

    commands: {
        set: ({ settings: some }) => { Object.assign(settings, some); },
        zone: ({ zone }) => {
            zones.set(zone.name, { name: zone.name, records: new Map() });
            put(zones.get(zone.name),
                { type: 'NS', name: '@', data: 'ns1.digitalocean.com.' });
        },
        put: ({ zone, records: list }) => {
            for (const record of list) {
                put(zones.get(zone), record);
            }
        },
        remove: ({ zone, name, type }) => {
            for (const [id, record] of zones.get(zone).records) {
                if (record.name === name && (!type || record.type === type)) {
                    zones.get(zone).records.delete(id);
                }
            }
        },
        dump: ({ zone }) => ({ records: [...zones.get(zone).records.values()] })
    }
};

reset();
run(provider);
