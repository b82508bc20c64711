// Stoplight's Prism before another peer, as "prism proxy --errors" runs it: it
// carries requests there and answers back, both only as an OpenAPI document has
// them.  What is not gets an answer of type application/problem+json.
//
// options: document, a file in fixtures/; upstream, the URL of its server.
// take: what was judged since the last call, see judged() below.

'use strict';

const path = require('path');

const { getHttpOperationsFromSpec } = require('@stoplight/prism-http');
const { createServer } = require('@stoplight/prism-http-server');

const { options, serve } = require('./peer.js');


const silent = () => {};
const logger = { child: () => logger, success: silent };

for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) {
    logger[level] = silent;
}

let list = [];


function say(from, violations) {
    return violations.map(({ message }) => `${from}: ${message}`);
}


// A request that went through, or why not.  Prism's own word for that is an
// Either: what was wrong is on its left.
function judged(input, { left, right }) {
    const found = { method: input.method.toUpperCase(), path: input.url.path };

    if (right) {
        const { input: request, output: response } = right.validations;

        return Object.assign(found, {
            status: right.output.statusCode,
            violations: [...say('request', request),
                         ...say('response', response)]
        });
    }

    const { validation } = left.additional || {};

    return Object.assign(found, {
        status: left.status || 500,
        violations: validation ? say('request', validation)
                               : [`${left.title || left.message}`]
    });
}


async function main() {
    const operations = await getHttpOperationsFromSpec(
        path.join(__dirname, 'fixtures', options.document));

    const server = createServer(operations, {
        cors: false,
        components: { logger },
        config: {
            isProxy: true, upstream: new URL(options.upstream), errors: true,
            checkSecurity: true, validateRequest: true, validateResponse: true,
            mock: { dynamic: false }
        }
    });

    const { prism } = server;
    const { request } = prism;

    prism.request = (input, ...rest) => async () => {
        const answer = await request(input, ...rest)();
        list.push(judged(input, answer));
        return answer;
    };

    const url = await server.listen(0, '127.0.0.1');

    const calls = operations.map(
        (call) => `${call.method.toUpperCase()} ${call.path}`);

    serve({ url, calls }, () => {
        const taken = list;
        list = [];
        return { judged: taken };
    });
}


main();
