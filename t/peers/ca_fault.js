// How a request goes wrong.  Each fault gets what it needs to carry out the
// request (or not), and to answer it (or not).

'use strict';


const JUNK = '<html><body><h1>It works!</h1></body></html>';


function raw(res, status, headers, body) {
    res.writeHead(status, headers);
    res.end(body);
}


const KINDS = {
    // refused: status, type, detail, subproblems, headers
    problem: ({ fault, finish }) => finish({
        status: fault.status, headers: fault.headers,
        type: 'application/problem+json',
        body: {
            type: 'urn:ietf:params:acme:error:' + fault.type,
            detail: fault.detail || 'as scripted', status: fault.status,
            subproblems: fault.subproblems, instance: fault.instance
        }
    }),

    // what stands before the CA answers: status, headers
    page: ({ fault, res, entry }) => {
        entry.status = fault.status;
        raw(res, fault.status,
            Object.assign({ 'Content-Type': 'text/html' }, fault.headers),
            JUNK);
    },

    // body is the whole answer to a request that was carried out
    body: ({ fault, carry, finish }) => {
        const answer = carry();
        finish({ status: answer.status, headers: answer.headers,
                 type: answer.type, text: fault.body });
    },

    garbage: ({ carry, finish }) => {
        const answer = carry();
        finish({ status: answer.status, headers: answer.headers,
                 text: '{"status":"\u0000\ufffd, [[[[[[[[' });
    },

    'content type': ({ carry, finish }) => finish(Object.assign(
        carry(), { type: 'text/html' })),

    // members of the answer changed
    change: ({ fault, carry, finish }) => {
        const answer = carry();
        Object.assign(answer.body, fault.members);
        finish(answer);
    },

    redirect: ({ fault, res, base, entry }) => {
        entry.status = 302;
        raw(res, 302, { Location: fault.location || base + '/dir' });
    },

    big: ({ carry, finish }) => {
        const answer = carry();
        finish({ status: answer.status, headers: answer.headers,
                 type: answer.type, text: 'x'.repeat(3 << 20) });
    },

    // headers and the beginning of a body, and no more
    endless: ({ carry, res, entry }) => {
        entry.status = carry().status;
        res.writeHead(entry.status, { 'Content-Type': 'application/json' });
        res.write('{');
    },

    slow: ({ fault, carry, finish }) => {
        setTimeout(() => finish(carry()), fault.delay);
    },

    // nothing happens until release()
    hold: ({ held, res, carry, finish }) => {
        held.push({ res, go: () => finish(carry()) });
    },

    // carried out, and the answer waits until release()
    'hold answer': ({ held, res, carry, finish }) => {
        const answer = carry();
        held.push({ res, go: () => finish(answer) });
    },

    refuse: ({ req }) => req.socket.destroy(),

    // carried out, but nobody hears of it
    cut: ({ req, carry, entry }) => {
        entry.status = carry().status;
        req.socket.destroy();
    }
};


function fail(at) {
    const kind = KINDS[at.fault.kind];

    if (!kind) {
        throw new Error('no fault ' + at.fault.kind);
    }

    kind(at);
}


module.exports = { fail };
