// What all peers share: options from the command line, one JSON line out for
// each JSON line in, and an end when the input ends.

'use strict';

const readline = require('readline');


const options = JSON.parse(process.argv[2] || '{}');


function say(value) {
    process.stdout.write(JSON.stringify(value) + '\n');
}


// hello: printed first; answer(command) gives (a promise of) the reply.
function serve(hello, answer) {
    const lines = readline.createInterface({ input: process.stdin });

    lines.on('line', async (line) => {
        try {
            say(await answer(JSON.parse(line)) || {});
        } catch (e) {
            say({ error: String(e && e.stack || e) });
        }
    });

    lines.on('close', () => process.exit(0));

    say(hello);
}


function listen(server, port = 0, host = options.host || '127.0.0.1') {
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, 1024, () => resolve(server.address().port));
    });
}


module.exports = { options, serve, listen };
