// A server of Harbor's shape: a portal, and a core that has sessions of its own,
// the API, and tokens for registry clients ("robot" and a secret), with
// Docker's registry behind it.

'use strict';

const crypto = require('crypto');
const http = require('http');

const { options, serve, listen } = require('./peer.js');


const tokens = new Set();

const PAGE = `<!DOCTYPE html><title>Harbor</title><h1>Harbor</h1>
<p id="who">…</p><script>
fetch('/api/v2.0/users/current').then((r) => r.json()).then((user) => {
    document.querySelector('#who').textContent = user.username;
});
</script>`;


function json(res, status, value, headers = {}) {
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    res.end(JSON.stringify(value));
}


function portal(req, res) {
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    res.end(PAGE);
}


// "Basic" of the robot, and nobody else's.

function robot(req) {
    const given = (req.headers.authorization || '').split(' ');

    return given[0] === 'Basic'
           && Buffer.from(given[1] || '', 'base64').toString()
              === `robot:${options.secret}`;
}


function token(req, res) {
    if (!robot(req)) {
        json(res, 401, { errors: [{ code: 'UNAUTHORIZED' }] });
        return;
    }

    const value = crypto.randomBytes(16).toString('hex');

    tokens.add(value);
    json(res, 200, { token: value, expires_in: 300 });
}


function registry(req, res) {
    const given = (req.headers.authorization || '').split(' ');
    const host = req.headers['x-forwarded-host'];
    const proto = req.headers['x-forwarded-proto'];

    if (given[0] !== 'Bearer' || !tokens.has(given[1])) {
        req.resume();
        json(res, 401, { errors: [{ code: 'UNAUTHORIZED' }] }, {
            'Docker-Distribution-Api-Version': 'registry/2.0',
            'WWW-Authenticate': `Bearer realm="${proto}://${host}`
                + '/service/token",service="harbor-registry",'
                + 'scope="repository:library/x:pull,push"'
        });
        return;
    }

    const to = http.request({ ...options.registry, method: req.method,
                              path: req.url, headers: req.headers },
                            (answer) => {
        res.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(res);
    });

    to.on('error', () => res.destroy());
    req.pipe(to);
}


// Who has come by the gate has a session here; a robot has its secret.

function api(req, res) {
    const email = req.headers['x-auth-request-email'];
    const username = robot(req) ? 'robot' : email;

    if (!username) {
        json(res, 401, { errors: [{ code: 'UNAUTHORIZED' }] });
        return;
    }

    json(res, 200, { username, headers: req.headers });
}


function core(req, res) {
    const path = req.url.split('?')[0];

    if (path.startsWith('/v2/')) {
        registry(req, res);
    } else if (path === '/service/token') {
        token(req, res);
    } else if (path.startsWith('/api/')) {
        api(req, res);
    } else {
        json(res, 200, { target: req.url });
    }
}


async function main() {
    const pages = await listen(http.createServer(portal));
    const port = await listen(http.createServer({ requestTimeout: 0 }, core));

    serve({ portal: pages, core: port }, () => ({}));
}


main();
