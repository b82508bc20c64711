// Cloudflare's API, version 4: zones, records, batches that are done as a whole
// or not at all.  It takes nothing that is not as its documentation has it, and
// answers so, too: ../test_dns_prism.py has that judged by another.
//
// zone {id, name, type, quota}; put {zone, records: [{type, name, content, …}]};
// remove {zone, name, type}; dump {zone}; set {token, key, email, batch, page}

'use strict';

const crypto = require('crypto');
const net = require('net');

const { run, Refusal } = require('./cloud.js');

const TYPES = ['A', 'AAAA', 'CNAME', 'TXT', 'NS', 'MX', 'SRV', 'CAA'];
const FIELDS = ['id', 'type', 'name', 'content', 'ttl', 'proxied', 'comment',
                'tags', 'priority'];
const TTL_MIN = 60;
const TTL_MAX = 86400;
const BORN = '2026-01-01T00:00:00Z';
// strings of up to 255 bytes, \123 is one of them
const TEXT = /^("([^"\\]|\\\d{3}|\\\D){0,255}" ?)+$/;
const HOSTS = ['A', 'AAAA', 'CNAME'];

let zones, settings, requests;


function reset() {
    zones = new Map();
    settings = { token: 'cloudflare-token', key: 'global-key',
                 email: 'ops@a.example', batch: 200, page: 5000 };
    requests = 0;
}


function answer(status, result, info, errors = [], headers = {}) {
    return {
        status, type: 'application/json; charset=utf-8',
        headers: Object.assign({ Ratelimit: '"default";r=1000;t=30' },
                               headers),
        body: JSON.stringify({ result, success: errors.length === 0, errors,
                               messages: [], result_info: info })
    };
}

function refuse(status, code, message) {
    throw new Refusal(answer(status, null, undefined, [{ code, message }]));
}


function authorize(headers) {
    const bearer = /^Bearer (\S+)$/.exec(headers.authorization || '');

    if (headers.authorization) {
        if (!bearer || bearer[1] !== settings.token) {
            refuse(403, 9109, 'Invalid access token');
        }
    } else if (headers['x-auth-key'] !== settings.key
               || headers['x-auth-email'] !== settings.email) {
        refuse(400, 10000, 'Authentication error');
    }
}


function page(query, list, max, filters = []) {
    const number = Number(query.get('page') || 1);
    const size = Number(query.get('per_page') || Math.min(max, 100));
    const known = ['page', 'per_page', ...filters];
    const unknown = [...query.keys()].find((key) => !known.includes(key));

    if (unknown) {
        refuse(400, 1004, `unknown parameter "${unknown}"`);
    }

    if (!(number >= 1) || !(size >= 5) || size > max) {
        refuse(400, 1004, 'per_page or page is out of range');
    }

    const part = list.slice((number - 1) * size, number * size);

    return answer(200, part, {
        page: number, per_page: size, count: part.length,
        total_count: list.length, total_pages: Math.ceil(list.length / size)
    });
}


// A zone as it is answered.
function whole({ id, name, type }) {
    return {
        id, name, type: type || 'full', status: 'active', paused: false,
        development_mode: 0, name_servers: ['a.ns.example', 'b.ns.example'],
        original_name_servers: null, original_registrar: null,
        original_dnshost: null, created_on: BORN, modified_on: BORN,
        activated_on: BORN, permissions: ['#dns_records:edit'],
        owner: { id: null, type: 'user' },
        account: { id: 'a'.repeat(32), name: 'Operations' },
        plan: { id: 'f'.repeat(32), name: 'Free Website', price: 0 },
        meta: { step: 2, page_rule_quota: 3, phishing_detected: false }
    };
}


// content as it is kept, or why not
function check(zone, record) {
    for (const name of Object.keys(record)) {
        if (!FIELDS.includes(name)) {
            refuse(400, 1004, `unknown field "${name}"`);
        }
    }

    const { type, name, content, ttl, proxied, comment } = record;
    const bad = !TYPES.includes(type) ? 'type'
        : typeof name !== 'string' || !/^[\w*.-]+$/.test(name)
          || name.endsWith('.') ? 'name'
        : typeof content !== 'string' || !content ? 'content'
        : type === 'A' && !net.isIPv4(content) ? 'A'
        : type === 'AAAA' && !net.isIPv6(content) ? 'AAAA'
        : type === 'CNAME' && !/^[\w.-]+[^.]$/.test(content) ? 'CNAME'
        : type === 'TXT' && !TEXT.test(content) ? 'TXT'
        : !Number.isInteger(ttl)
          || (ttl !== 1 && (ttl < TTL_MIN || ttl > TTL_MAX)) ? 'ttl'
        : proxied !== undefined && typeof proxied !== 'boolean' ? 'proxied'
        : proxied && (ttl !== 1 || !HOSTS.includes(type))
          ? 'proxied'
        : comment !== undefined && (typeof comment !== 'string'
                                    || comment.length > 100) ? 'comment'
        : null;

    if (bad) {
        refuse(400, 9005, `DNS Validation Error: ${bad}: ${content}`);
    }

    if (name !== zone.name && !name.endsWith('.' + zone.name)) {
        refuse(400, 9000, 'the name is not in this zone');
    }
}


// A record as it is answered.
function dress(record, old) {
    const now = new Date().toISOString();

    const made = Object.assign({ proxied: false, tags: [] }, record, {
        id: old.id || crypto.randomBytes(16).toString('hex'),
        comment: record.comment || null,
        proxiable: HOSTS.includes(record.type), settings: {}, meta: {},
        created_on: old.created_on || now, modified_on: now
    });

    if (made.comment) {
        made.comment_modified_on = now;
    }

    if (made.tags.length > 0) {
        made.tags_modified_on = now;
    }

    return made;
}


// An older one is replaced.
function insert(records, zone, record, old = {}) {
    check(zone, record);

    for (const other of records.values()) {
        if (other.name !== record.name || other.id === old.id) {
            continue;
        }
        if (other.type === record.type && other.content === record.content) {
            refuse(400, 81058, 'An identical record already exists.');
        }
        if (HOSTS.includes(record.type) && HOSTS.includes(other.type)
            && (record.type === 'CNAME' || other.type === 'CNAME')) {
            refuse(400, 81053, 'An A, AAAA, or CNAME record with that host '
                               + 'already exists.');
        }
    }

    const made = dress(record, old);

    records.set(made.id, made);

    if (records.size > zone.quota) {
        refuse(400, 81045, 'Record quota exceeded.');
    }

    return made;
}


function existing(records, id) {
    if (typeof id !== 'string' || !records.has(id)) {
        refuse(400, 81044, 'Record does not exist.');
    }

    return records.get(id);
}


function writable(record) {
    const { id, type, name, content, ttl, proxied, comment, tags } = record;
    return Object.assign({ id, type, name, content, ttl, proxied, tags },
                         comment === null ? {} : { comment });
}


function batch(zone, body) {
    const lists = ['deletes', 'patches', 'puts', 'posts'];
    const records = new Map(zone.records);
    const result = {};
    let n = 0;

    for (const key of Object.keys(body)) {
        if (!lists.includes(key) || !Array.isArray(body[key])) {
            refuse(400, 1004, `"${key}" is no list of changes`);
        }
        n += body[key].length;
    }

    if (n === 0 || n > settings.batch) {
        refuse(400, 81074, `a batch has 1 to ${settings.batch} changes`);
    }

    result.deletes = (body.deletes || []).map((change) => {
        const old = existing(records, change.id);
        records.delete(change.id);
        return old;
    });
    result.patches = (body.patches || []).map((change) => {
        const old = existing(records, change.id);
        return insert(records, zone, Object.assign(writable(old), change),
                      old);
    });
    result.puts = (body.puts || []).map((change) =>
        insert(records, zone, Object.assign({ ttl: 1 }, change),
               existing(records, change.id)));
    result.posts = (body.posts || []).map((change) => {
        if (change.id !== undefined) {
            refuse(400, 1004, 'a new record has no id');
        }
        return insert(records, zone, change);
    });

    zone.records = records;

    return answer(200, result);
}


function parse(body) {
    try {
        return JSON.parse(body.toString());
    } catch (e) {
        return refuse(400, 9207, 'Request body is invalid.');
    }
}


function records(zone, request, query, rest) {
    if (request.method === 'GET' && rest === '') {
        const wanted = [...zone.records.values()].filter((record) =>
            ['name.exact', 'type'].every((key) => !query.has(key)
                || query.get(key) === record[key.split('.')[0]]));
        return page(query, wanted, settings.page, ['name.exact', 'type']);
    }

    if (request.method === 'POST' && rest === '/batch') {
        return batch(zone, parse(request.body));
    }

    const copy = new Map(zone.records);

    if (request.method === 'POST' && rest === '') {
        const made = insert(copy, zone, parse(request.body));
        zone.records = copy;
        return answer(200, made);
    }

    if (request.method === 'DELETE' && rest) {
        const id = rest.slice(1);
        if (!copy.has(id)) {
            refuse(404, 81044, 'Record does not exist.');
        }
        zone.records.delete(id);
        return answer(200, { id });
    }

    return refuse(405, 10405, 'Method not allowed for this endpoint');
}


const provider = {
    reset,

    handle(request) {
        const url = new URL(request.url, 'http://x');
        const path = /^\/client\/v4(\/.*)$/.exec(url.pathname);

        requests++;
        authorize(request.headers);

        if (path && path[1] === '/zones' && request.method === 'GET') {
            return page(url.searchParams, [...zones.values()].map(whole), 50);
        }

        const found = path && /^\/zones\/(\w+)(\/dns_records(.*))?$/.exec(
            path[1]);
        const zone = found && zones.get(found[1]);

        if (!zone) {
            refuse(404, 7003, 'Could not route to that zone');
        }

        return found[2]
            ? records(zone, request, url.searchParams, found[3])
            : answer(200, whole(zone));
    },

    throttle: (fault) => answer(429, null, undefined,
                                [{ code: 10100, message: 'rate limited' }],
                                { 'Retry-After': String(fault.seconds
                                                        || 120) }),

    // total: so many more than there are; repeat: the first record again
    change(got, fault) {
        const body = JSON.parse(got.body);
        if (fault.total) {
            body.result_info.total_count += fault.total;
        }
        if (fault.repeat) {
            body.result[body.result.length - 1] = body.result[0];
        }
        return Object.assign(got, { body: JSON.stringify(body) });
    },

    commands: {
        set: ({ settings: some }) => { Object.assign(settings, some); },
        zone: ({ zone }) => {
            zones.set(zone.id, Object.assign(
                { records: new Map(), quota: 100000 }, zone));
        },
        put: ({ zone, records: list }) => {
            for (const record of list) {
                insert(zones.get(zone).records, zones.get(zone), record);
            }
        },
        remove: ({ zone, name, type }) => {
            for (const [id, record] of zones.get(zone).records) {
                if (record.name === name && (!type || record.type === type)) {
                    zones.get(zone).records.delete(id);
                }
            }
        },
        dump: ({ zone }) => ({ records: [...zones.get(zone).records.values()],
                               requests })
    }
};

reset();
run(provider);
