// A webhook of ExternalDNS, protocol version 1, with a provider of its own: what
// it is told.
//
// put {endpoints}; dump; set {filter, type, success, null_list, ttl_min, bad}
//   filter   what it says of its domains
//   type     its Content-Type
//   success  what POST /records answers, 204
//   ttl_min  what adjustendpoints raises TTLs to
//   bad      a name that it does not take: 500

'use strict';

const { run, Refusal } = require('./cloud.js');

const TYPE = 'application/external.dns.webhook+json;version=1';
const MEMBERS = ['dnsName', 'targets', 'recordType', 'setIdentifier',
                 'recordTTL', 'labels', 'providerSpecific'];

let sets, settings;


function reset() {
    sets = new Map();
    settings = { filter: { include: ['dns.test'] }, type: TYPE, success: 204,
                 null_list: true, ttl_min: 0, bad: null };
}


function answer(status, body) {
    return { status, type: settings.type,
             body: body === undefined ? '' : JSON.stringify(body) };
}

function refuse(status, text) {
    throw new Refusal({ status, type: 'text/plain', body: text });
}


function key(endpoint) {
    return [endpoint.dnsName, endpoint.recordType,
            endpoint.setIdentifier || ''].join(' ');
}


function endpoints(list, name) {
    if (!Array.isArray(list)) {
        refuse(400, `${name} is no list`);
    }

    for (const e of list) {
        for (const member of Object.keys(e)) {
            if (!MEMBERS.includes(member)) {
                refuse(400, `unknown member ${member}`);
            }
        }
        if (typeof e.dnsName !== 'string' || e.dnsName.endsWith('.')
            || !Array.isArray(e.targets) || !e.targets.length
            || (e.recordType === 'TXT'
                && !e.targets.every((t) => /^".*"$/.test(t)))) {
            refuse(400, `${name}: ${JSON.stringify(e)}`);
        }
        if (e.dnsName === settings.bad) {
            refuse(500, `the provider does not like ${e.dnsName}`);
        }
    }

    return list;
}


function change(body) {
    const next = new Map(sets);

    for (const name of Object.keys(body)) {
        if (!['create', 'updateOld', 'updateNew', 'delete'].includes(name)) {
            refuse(400, `no list ${name}`);
        }
        endpoints(body[name], name);
    }

    if (body.updateOld.length !== body.updateNew.length) {
        refuse(400, 'updates do not pair');
    }

    for (const e of body.create) {
        if (next.has(key(e))) {
            refuse(500, `${key(e)} is there already`);
        }
        next.set(key(e), e);
    }

    body.updateNew.forEach((e, i) => {
        if (key(e) !== key(body.updateOld[i]) || !next.has(key(e))) {
            refuse(500, `${key(e)} is not there`);
        }
        next.set(key(e), e);
    });

    for (const e of body.delete) {
        if (!next.delete(key(e))) {
            refuse(500, `${key(e)} is not there`);
        }
    }

    sets = next;
}


const provider = {
    reset,

    handle(request) {
        const route = `${request.method} ${request.url}`;
        const { accept, 'content-type': type } = request.headers;

        if (accept !== TYPE) {
            refuse(406, 'Accept');
        }

        if (request.method === 'POST' && type !== TYPE) {
            refuse(415, 'Content-Type');
        }

        if (route === 'GET /') {
            return answer(200, settings.filter);
        }

        if (route === 'GET /records') {
            const list = [...sets.values()];
            return answer(200, !list.length && settings.null_list ? null
                                                                  : list);
        }

        if (route === 'POST /adjustendpoints') {
            return answer(200, endpoints(JSON.parse(request.body), 'body').map(
                (e) => (e.recordTTL < settings.ttl_min
                        ? Object.assign(e, { recordTTL: settings.ttl_min })
                        : e)));
        }

        if (route === 'POST /records') {
            change(JSON.parse(request.body));
            return settings.success === 204 ? { status: 204 }
                                            : answer(settings.success, {});
        }

        return refuse(404, route);
    },

    throttle: () => ({ status: 503, type: 'text/plain', body: 'busy' }),
    change: (got, fault) => Object.assign(got, fault.answer),

    commands: {
        set: ({ settings: some }) => { Object.assign(settings, some); },
        put: ({ endpoints: list }) => {
            for (const e of list) {
                sets.set(key(e), e);
            }
        },
        remove: ({ name, type }) => { sets.delete(`${name} ${type} `); },
        dump: () => ({ records: [...sets.values()] })
    }
};

reset();
run(provider);
