// A server of the Tekton dashboard's shape: pages, Kubernetes' API as the
// dashboard passes it on, watched by WebSocket, and logs that go on.  It has no
// login, and takes writes from its own pages only.

'use strict';

const http = require('http');

const { WebSocketServer } = require('ws');

const { serve, listen } = require('./peer.js');


const events = [];

const PAGE = `<!DOCTYPE html><title>Tekton Dashboard</title>
<h1>Tekton Dashboard</h1><p id="runs">…</p><script>
fetch('/apis/tekton.dev/v1/pipelineruns').then((r) => r.json())
    .then((list) => {
        document.querySelector('#runs').textContent = list.items.length;
    });
</script>`;


function json(res, status, value) {
    res.writeHead(status, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(value));
}


function log(res) {
    res.writeHead(200, { 'Content-Type': 'text/plain' });
    res.write('step 1\n');

    const timer = setInterval(() => res.write('.\n'), 50);

    res.on('close', () => {
        clearInterval(timer);
        events.push('log closed');
    });
}


function answer(req, res) {
    const url = new URL(req.url, 'http://tekton');

    res.on('error', () => {});
    req.resume();

    if (!/^\/(api|apis|v1)\//.test(url.pathname)) {
        res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
        res.end(PAGE);

    } else if (url.pathname.endsWith('/log')) {
        log(res);

    } else if (!['GET', 'HEAD', 'OPTIONS'].includes(req.method)
               && !req.headers['tekton-client'])
    {
        json(res, 403, { message: 'no Tekton-Client' });

    } else {
        json(res, req.method === 'POST' ? 201 : 200,
             { items: ['a', 'b', 'c'], target: req.url, method: req.method,
               headers: req.headers });
    }
}


// As client-go's proxy does: pages of other hosts may not watch.

function allowed(info) {
    return new URL(info.origin || 'http://x').host === info.req.headers.host;
}


async function main() {
    const server = http.createServer({ requestTimeout: 0 }, answer);
    const sockets = new WebSocketServer({ server, verifyClient: allowed });

    sockets.on('connection', (ws) => {
        ws.on('error', () => {});
        ws.on('close', () => events.push('watch closed'));
        ws.send(JSON.stringify({ type: 'ADDED', object: { name: 'a' } }));
    });

    serve({ port: await listen(server) }, (command) => {
        if (command.command === 'events') {
            return { events: events.splice(0) };
        }
    });
}


main();
