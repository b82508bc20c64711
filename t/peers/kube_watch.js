// Bodies that the stand-in for the Kubernetes API sends: pieces that may be
// slow, cut off or frozen by a fault, and watches, which are made of them.

'use strict';

const s = require('./kube_status.js');


const ZERO = {
    Ingress: ',"spec":{},"status":{"loadBalancer":{}}',
    Service: ',"spec":{},"status":{"loadBalancer":{}}',
    EndpointSlice: ',"addressType":"","endpoints":null,"ports":null'
};
const END = { 'k8s.io/initial-events-end': 'true' };
const PIECE = 1 << 16;


// What a fault asks for: cut (so many bytes, then the connection is gone),
// slow {bytes, every} (ms), chunk (size of the pieces).

class Writer {
    constructor(req, res, plan) {
        this.req = req;
        this.res = res;
        this.plan = plan || {};
        this.left = this.plan.cut;
        this.waiting = [];
        this.frozen = false;
        this.over = false;
        this.sent = 0;
        res.on('close', () => {
            this.over = true;
            clearInterval(this.timer);
        });
        res.on('error', () => {});
    }

    // false when the other side does not keep up: see drained()

    write(data) {
        const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data);

        if (this.over || this.frozen) {
            return true;
        }

        if (this.plan.slow) {
            this.waiting.push(bytes);
            this.timer = this.timer || setInterval(() => this.drip(),
                                                   this.plan.slow.every);
            return true;
        }

        return this.out(bytes);
    }

    out(bytes) {
        const size = this.plan.chunk || bytes.length || 1;
        let ok = true;

        if (this.left !== undefined) {
            bytes = bytes.subarray(0, this.left);
            this.left -= bytes.length;
        }

        for (let i = 0; i < bytes.length; i += size) {
            ok = this.res.write(bytes.subarray(i, i + size));
        }

        this.sent += bytes.length;

        if (this.left === 0) {
            this.kill();
        }

        return ok;
    }

    drip() {
        let room = this.plan.slow.bytes;

        while (room > 0 && this.waiting.length) {
            const first = this.waiting[0];
            const part = first.subarray(0, room);
            room -= part.length;
            this.out(part);

            if (part.length === first.length) {
                this.waiting.shift();
            } else {
                this.waiting[0] = first.subarray(part.length);
            }
        }

        if (this.ending && !this.waiting.length) {
            clearInterval(this.timer);
            this.res.end();
        }
    }

    drained() {
        return new Promise((done) => {
            if (this.over || !this.res.writableNeedDrain) {
                done();
                return;
            }
            this.res.once('drain', done);
            this.res.once('close', done);
        });
    }

    end() {
        if (this.over || this.frozen) {
            return;
        }

        if (this.waiting.length) {
            this.ending = true;

        } else if (this.left === undefined || this.left > 0) {
            this.over = true;
            this.res.end();
        }
    }

    // the connection ends in the middle of things, once what was written left

    kill() {
        if (this.over) {
            return;
        }

        this.over = true;
        this.res.write(Buffer.alloc(0));
        setTimeout(() => destroy(this.req), 5);
    }
}


function destroy(req) {
    if (req.stream && req.stream.session) {
        req.stream.session.destroy();

    } else {
        req.socket.destroy();
    }
}


class Watch {
    constructor(server, request, writer) {
        const query = request.query;

        this.server = server;
        this.request = request;
        this.kind = request.kind;
        this.writer = writer;
        this.partial = request.form === 'partial';
        this.bookmarks = truth(query.get('allowWatchBookmarks'));
        this.initial = query.get('sendInitialEvents') === 'true' &&
                       server.options.streaming === 'on';
        this.pending = [];
        this.events = 0;
        this.timers = [];
    }

    async start() {
        const query = this.request.query;
        const asked = query.get('resourceVersion') || '';
        const store = this.server.store;
        const fresh = this.initial || asked === '' || asked === '0';
        const missed = fresh ? [] : store.since(this.kind, Number(asked));

        if (!missed || this.request.plan.error === 410) {
            this.refuse(s.tooOld(asked, store.of(this.kind).oldest + 1));
            return;
        }

        store.of(this.kind).watchers.add(this);
        this.server.watches.add(this);
        this.writer.res.on('close', () => this.stop());
        this.version = store.version;
        this.writer.res.flushHeaders();

        await (fresh ? this.all() : this.replay(missed));

        while (this.pending.length) {
            const event = this.pending.shift();
            this.send(event);
        }

        this.pending = null;
        this.schedule();
    }

    // 410 comes as an event when the answer has begun as 200

    refuse(refusal) {
        this.writer.write(JSON.stringify({ type: 'ERROR',
                                           object: refusal.status }) + '\n');
        this.writer.end();
    }

    async all() {
        const version = this.server.store.version;
        const entries = this.server.store.all(this.kind)
            .filter((e) => this.request.matches(e));

        await this.batch(entries.map((e) => this.line('ADDED', e)));

        if (this.initial) {
            this.writer.write(this.bookmark(version, END));
        }
    }

    async replay(missed) {
        const lines = missed.map((e) => this.lineOf(e)).filter((l) => l);
        await this.batch(lines);
    }

    async batch(lines) {
        let text = '';

        for (const line of lines) {
            text += line;
            if (text.length > PIECE && !this.writer.write(text)) {
                text = '';
                await this.writer.drained();

            } else if (text.length > PIECE) {
                text = '';
            }
        }

        this.writer.write(text);
        this.events += lines.length;
    }

    line(type, entry) {
        return `{"type":"${type}","object":` +
               (this.partial ? entry.partial : entry.json) + '}\n';
    }

    // An object that no longer matches the selectors is gone for this watch.

    lineOf({ type, entry, old }) {
        const is = this.request.matches(entry);
        const was = old ? this.request.matches(old) : false;

        if (type === 'DELETED') {
            return is ? this.line(type, entry) : null;
        }

        if (is) {
            return this.line(old && was ? 'MODIFIED' : 'ADDED', entry);
        }

        return was ? this.line('DELETED', entry) : null;
    }

    event(event) {
        if (this.pending) {
            this.pending.push(event);
            return;
        }

        this.send(event);
    }

    send(event) {
        const line = this.lineOf(event);

        this.version = Math.max(this.version, event.entry.version);

        if (line) {
            this.events++;
            this.writer.write(line);
        }
    }

    bookmark(version, annotations) {
        const kind = this.kind;
        const meta = { resourceVersion: String(version) };

        if (annotations) {
            meta.annotations = annotations;
        }

        const names = this.partial
            ? ['PartialObjectMetadata', 'meta.k8s.io/v1']
            : [kind.kind, kind.apiVersion];

        return `{"type":"BOOKMARK","object":{"kind":"${names[0]}",` +
               `"apiVersion":"${names[1]}","metadata":` +
               JSON.stringify(meta) +
               (this.partial ? '' : ZERO[kind.kind] || '') + '}}\n';
    }

    mark() {
        if (this.bookmarks) {
            this.writer.write(this.bookmark(this.server.store.version));
        }
    }

    schedule() {
        const seconds = Number(this.request.query.get('timeoutSeconds'));
        const interval = this.server.options.bookmarks;

        if (interval) {
            this.timers.push(setInterval(() => this.mark(), interval));
        }

        if (seconds) {
            this.timers.push(setTimeout(() => {
                this.mark();
                this.finish();
            }, seconds * 1000));
        }
    }

    finish() {
        this.writer.end();
        this.stop();
    }

    // Half of an event, cut inside a character of several bytes where the
    // object has one, and then the end of the connection.

    half() {
        const found = this.server.store.all(this.kind)
            .find((e) => this.request.matches(e));
        const bytes = Buffer.from(found ? this.line('MODIFIED', found)
                                        : this.bookmark(1));
        const wide = bytes.findIndex((b) => b >= 0xc0);

        this.writer.write(bytes.subarray(0, wide < 0 ? bytes.length >> 1
                                                     : wide + 1));
        this.writer.kill();
    }

    stop() {
        this.server.store.of(this.kind).watchers.delete(this);
        this.server.watches.delete(this);
        this.timers.forEach((t) => clearTimeout(t));
        this.timers = [];
    }
}


function truth(text) {
    return ['1', 'true', 't', 'T', 'True', 'TRUE'].includes(text || '');
}


module.exports = { Writer, Watch, destroy, truth };
