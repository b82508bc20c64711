// dyndns2: addresses of hosts, and a word for each request.
//
// host {name}; dump; set {user, password, word: what it answers instead}

'use strict';

const net = require('net');

const { run } = require('./cloud.js');

let hosts, settings;


function reset() {
    hosts = new Map();
    settings = { user: 'user', password: 'dyndns-password', word: null };
}


function say(text, status = 200) {
    return { status, type: 'text/plain', body: text + '\n' };
}


function update(name, addresses) {
    if (!/^[\w-]+(\.[\w-]+)+$/.test(name)) {
        return 'notfqdn';
    }

    if (!hosts.has(name)) {
        return 'nohost';
    }

    const host = hosts.get(name);
    const before = JSON.stringify(host);

    for (const address of addresses) {
        host[net.isIPv6(address) ? 'AAAA' : 'A'] = address;
    }

    return (JSON.stringify(host) === before ? 'nochg ' : 'good ')
           + addresses.join(',');
}


const provider = {
    reset,

    handle(request) {
        const url = new URL(request.url, 'http://x');
        const login = Buffer.from(`${settings.user}:${settings.password}`)
            .toString('base64');
        const agent = request.headers['user-agent'] || '';

        if (request.headers.authorization !== 'Basic ' + login) {
            return say('badauth', 401);
        }

        if (!/^\S+\/\S+/.test(agent)) {
            return say('badagent');
        }

        if (settings.word) {
            return say(settings.word);
        }

        if (request.method !== 'GET' || url.pathname !== '/nic/update') {
            return say('no such page', 404);
        }

        const addresses = (url.searchParams.get('myip') || '').split(',');

        if (!addresses.every((a) => net.isIP(a))) {
            return say('badip');
        }

        return say((url.searchParams.get('hostname') || '').split(',').map(
            (name) => update(name, addresses)).join('\n'));
    },

    throttle: () => say('911'),
    change: (got, fault) => Object.assign(got, fault.answer),

    commands: {
        set: ({ settings: some }) => { Object.assign(settings, some); },
        host: ({ name }) => { hosts.set(name, {}); },
        dump: () => ({ hosts: Object.fromEntries(hosts) })
    }
};

reset();
run(provider);
