// A server of the shape of Tekton Triggers' EventListener: any path takes a
// POST of JSON, and GitHub's signature is verified behind it.

'use strict';

const crypto = require('crypto');
const http = require('http');

const { options, serve, listen } = require('./peer.js');


let runs = [];


function signed(body, given) {
    const right = Buffer.from('sha256=' + crypto
        .createHmac('sha256', options.secret).update(body).digest('hex'));
    const other = Buffer.from(given || '');

    return right.length === other.length
           && crypto.timingSafeEqual(right, other);
}


function answer(req, res) {
    const chunks = [];

    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
        const body = Buffer.concat(chunks);
        const by = req.headers['x-auth-request-user'];
        let status = 202;

        if (req.url.startsWith('/live')) {
            status = 200;
        } else if (req.method !== 'POST') {
            status = 400;
        } else if (req.url === '/github'
                   && !signed(body, req.headers['x-hub-signature-256']))
        {
            status = 401;
        } else {
            runs.push({ target: req.url, by, bytes: body.length });
        }

        res.writeHead(status, { 'Content-Type': 'application/json' });
        res.end(JSON.stringify({ eventListener: 'hooks', target: req.url,
                                 headers: req.headers }));
    });
}


async function main() {
    serve({ port: await listen(http.createServer(answer)) }, (command) => {
        if (command.command === 'runs') {
            const all = runs;

            runs = [];
            return { runs: all };
        }
    });
}


main();
