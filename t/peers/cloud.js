// What the stand-ins of Amazon, Google and Microsoft share: an HTTP server that
// logs what it was asked, fails as it is told, and has commands on its standard
// input, see class Cloud in ../cloud.py.

'use strict';

const http = require('http');

const { serve, listen } = require('./peer.js');

const HTML = '<html><body><h1>It works!</h1></body></html>';


// How a request goes wrong, times: 0 is for ever; carry() carries it out.
const KINDS = {
    // refused as the provider does it
    throttle: ({ provider, fault }) => provider.throttle(fault),
    status: ({ fault }) => ({ status: fault.status, headers: fault.headers,
                              type: fault.type || 'text/plain',
                              body: fault.body || 'scripted' }),
    html: () => ({ status: 200, type: 'text/html', body: HTML }),
    // carried out, and the answer ends in the middle, as if that were all
    truncate: async ({ carry }) => {
        const answer = await carry();
        return Object.assign(answer, {
            body: answer.body.slice(0, answer.body.length / 2) });
    },
    // carried out, and the answer breaks off
    cut: async ({ carry, res }) => {
        await carry();
        res.writeHead(200, { 'Content-Length': 1000 });
        res.write('{');
        setTimeout(() => res.socket.destroy(), 20);
        return undefined;
    },
    // carried out, and nobody hears of it: libcurl asks again, where it thinks
    // that the connection was too old
    vanish: async ({ carry }) => { await carry(); return null; },
    refuse: () => null,
    // what the provider knows of itself: a page too few, a count that is wrong
    change: async ({ carry, provider, fault }) =>
        provider.change(await carry(), fault)
};


class Refusal extends Error {
    constructor(answer) {
        super(answer.body || 'refused');
        this.answer = answer;
    }
}


// provider: handle(request) → answer { status, type, body, headers }, or throws
// Refusal; throttle(fault), change(answer, fault), reset(), commands.
async function run(provider) {
    const state = { log: [], faults: [], counts: {} };

    function faultFor(request) {
        const fault = state.faults.find((f) =>
            new RegExp(f.match).test(
                `${request.method} ${request.url}`)
            && !(f.skip > 0 && f.skip--));

        if (fault && fault.times > 0 && --fault.times === 0) {
            state.faults = state.faults.filter((f) => f !== fault);
        }

        return fault;
    }

    async function answerTo(request, entry, res) {
        const carry = async () => {
            try {
                return await provider.handle(request);
            } catch (e) {
                if (!(e instanceof Refusal)) {
                    throw e;
                }
                entry.error = e.answer.body;
                return e.answer;
            }
        };
        const fault = faultFor(request);

        if (!fault) {
            return carry();
        }

        entry.fault = fault.kind;
        return KINDS[fault.kind]({ provider, fault, carry, res });
    }

    const server = http.createServer((req, res) => {
        const pieces = [];

        req.on('data', (piece) => pieces.push(piece));
        req.on('end', async () => {
            const request = {
                method: req.method, url: req.url, headers: req.headers,
                raw: req.rawHeaders, body: Buffer.concat(pieces)
            };
            const entry = { n: state.log.length, method: req.method,
                            url: req.url, time: Date.now(),
                            headers: req.headers,
                            body: request.body.toString() };
            state.log.push(entry);

            let answer;
            try {
                answer = await answerTo(request, entry, res);
            } catch (e) {
                answer = { status: 500, type: 'text/plain',
                           body: String(e.stack) };
                entry.error = String(e.stack);
            }

            if (!answer) {
                if (answer === null) {
                    req.socket.destroy();
                }
                return;
            }

            entry.status = answer.status;
            res.writeHead(answer.status, Object.assign(
                answer.type ? { 'Content-Type': answer.type } : {},
                answer.headers));
            res.end(answer.body);
        });
    });

    const commands = Object.assign({
        fault: ({ fault }) => {
            state.faults.push(Object.assign({ times: 1, skip: 0 }, fault));
        },
        clear: () => { state.faults = []; },
        log: ({ since }) => ({ log: state.log.slice(since || 0) }),
        reset: () => {
            state.faults = [];
            state.log = [];
            provider.reset();
        }
    }, provider.commands);

    const port = await listen(server);
    const url = `http://127.0.0.1:${port}`;
    provider.url = url;

    serve({ url, port }, (command) => {
        if (!commands[command.command]) {
            throw new Error('no command ' + command.command);
        }
        return commands[command.command](command);
    });
}


// "a.example." for "A.Example"
function fqdn(name) {
    return name.toLowerCase().replace(/\.?$/, '.');
}


module.exports = { run, fqdn, Refusal };
