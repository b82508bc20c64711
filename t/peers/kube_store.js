// Objects of the stand-in for the Kubernetes API: one counter of versions for
// all kinds, the JSON of each object made once, and a history that watches
// are resumed from.

'use strict';

const crypto = require('crypto');

const { KINDS, ofObject, checkName } = require('./kube_kinds.js');
const { apply } = require('./kube_apply.js');
const s = require('./kube_status.js');


const FIRST = ['kind', 'apiVersion', 'metadata'];
const META = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion',
              'generation', 'creationTimestamp', 'deletionTimestamp',
              'labels', 'annotations', 'ownerReferences', 'finalizers',
              'managedFields'];
const GRANULAR = ['annotations', 'labels', 'data'];
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const CLASS = 'kubernetes.io/ingress.class';
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';


function sorted(object, names) {
    const out = {};

    for (const name of names) {
        if (object[name] !== undefined) {
            out[name] = object[name];
        }
    }

    return Object.assign(out, object);
}


// A version of an object: never changed once it is made.

class Entry {
    constructor(kind, object) {
        object.metadata = sorted(object.metadata, META);
        this.kind = kind;
        this.object = sorted(object, FIRST);
        this.name = object.metadata.name;
        this.namespace = object.metadata.namespace || '';
        this.key = keyOf(this.namespace, this.name);
        this.version = Number(object.metadata.resourceVersion);
        this.json = JSON.stringify(this.object);
    }

    // as it stands in a list: without kind and apiVersion
    get item() {
        return '{' + this.json.slice(this.json.indexOf('"metadata":'));
    }

    get partial() {
        this.metadata = this.metadata ||
            '{"kind":"PartialObjectMetadata",' +
            '"apiVersion":"meta.k8s.io/v1","metadata":' +
            JSON.stringify(this.object.metadata) + '}';
        return this.metadata;
    }
}


function keyOf(namespace, name) {
    return namespace ? `${namespace}/${name}` : name;
}


function fieldsOf(value, granular) {
    const out = granular ? { '.': {} } : {};

    for (const key in value) {
        const v = value[key];
        const deep = v && typeof v === 'object' && !Array.isArray(v) &&
                     Object.keys(v).length > 0;
        out['f:' + key] = deep && key !== 'creationTimestamp'
            ? fieldsOf(v, GRANULAR.includes(key)) : {};
    }

    return out;
}


function withoutMeta(object) {
    const out = Object.assign({}, object);
    const meta = out.metadata;

    delete out.kind;
    delete out.apiVersion;
    delete out.status;
    delete out.metadata;

    if (meta.labels || meta.annotations) {
        out.metadata = {};
        GRANULAR.forEach((name) => {
            if (meta[name]) {
                out.metadata[name] = meta[name];
            }
        });
    }

    return out;
}


// RFC 7386

function mergePatch(target, patch) {
    if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) {
        return patch;
    }

    const out = target && typeof target === 'object' && !Array.isArray(target)
        ? Object.assign({}, target) : {};

    for (const key in patch) {
        if (patch[key] === null) {
            delete out[key];

        } else if (!key.startsWith('$')) {
            out[key] = mergePatch(out[key], patch[key]);
        }
    }

    return out;
}


// Strategic merge, as far as these kinds need it: lists are replaced, but
// ports of a Service go by their number.

function strategicPatch(target, patch) {
    const ports = ((patch || {}).spec || {}).ports;

    if (target.kind !== 'Service' || !ports) {
        return mergePatch(target, patch);
    }

    const order = patch.spec['$setElementOrder/ports'] || ports;
    const old = target.spec.ports || [];

    return mergePatch(target, Object.assign({}, patch, {
        spec: Object.assign({}, patch.spec, {
            ports: order.map((o) => mergePatch(
                old.find((p) => p.port === o.port),
                ports.find((p) => p.port === o.port) || o))
        })
    }));
}


class Store {
    constructor(options) {
        this.version = options.version || 200;
        this.limit = options.history || 50000;
        this.managed = options.managedFields !== false;
        this.serial = 1;
        this.kinds = new Map(KINDS.map((k) => [k, {
            entries: new Map(), order: null, history: [], oldest: 0,
            watchers: new Set(), log: []
        }]));
        this.snapshots = new Map();
    }

    next() {
        return ++this.version;
    }

    of(kind) {
        return this.kinds.get(kind);
    }

    get(kind, namespace, name) {
        return this.of(kind).entries.get(keyOf(namespace, name));
    }

    // All of a kind, in the order of their keys

    all(kind) {
        const data = this.of(kind);

        if (!data.order) {
            data.order = [...data.entries.keys()].sort();
        }

        return data.order.map((key) => data.entries.get(key));
    }

    // Changes

    keep(kind, type, entry, old) {
        const data = this.of(kind);

        if (type === 'DELETED') {
            data.entries.delete(entry.key);
        } else {
            data.entries.set(entry.key, entry);
        }

        if (type !== 'MODIFIED') {
            data.order = null;
        }

        const event = { type, entry, old };
        data.history.push(event);
        data.log.push(event);

        if (data.history.length > this.limit) {
            const gone = data.history.splice(0, this.limit >> 1);
            data.oldest = gone[gone.length - 1].entry.version;
        }

        for (const watcher of data.watchers) {
            watcher.event(event);
        }

        return entry;
    }

    // who: manager and subresource of the change; unchecked: validation is
    // left out, and what only the server may write is taken as it comes.

    create(kind, object, who, unchecked) {
        object = structuredClone(object);
        const meta = object.metadata = object.metadata || {};

        if (meta.generateName && !meta.name) {
            meta.name = meta.generateName + Array.from({ length: 5 },
                () => LETTERS[crypto.randomInt(LETTERS.length)]).join('');
        }

        this.validate(kind, object, null, unchecked);

        if (this.get(kind, meta.namespace, meta.name)) {
            throw s.exists(kind, meta.name);
        }

        if (!unchecked) {
            ['uid', 'resourceVersion', 'creationTimestamp', 'generation',
             'deletionTimestamp', 'managedFields'].forEach((n) => {
                delete meta[n];
            });
            if (kind.status) {
                delete object.status;
            }
        }

        this.admit(kind, object);
        this.serial++;
        kind.fill(object, this.serial);
        meta.uid = meta.uid || crypto.randomUUID();
        meta.creationTimestamp = meta.creationTimestamp || now();

        if (kind.generation) {
            meta.generation = meta.generation || 1;
        }

        return this.write(kind, 'ADDED', object, null, who);
    }

    update(kind, old, object, who, unchecked) {
        object = structuredClone(object);
        const meta = object.metadata;
        const was = old.object.metadata;

        if (meta.resourceVersion && !unchecked &&
            meta.resourceVersion !== was.resourceVersion)
        {
            throw s.conflict(kind, old.name);
        }

        if (meta.uid && meta.uid !== was.uid && !unchecked) {
            throw s.conflict(kind, old.name);
        }

        if (who.subresource === 'status') {
            object = Object.assign({}, structuredClone(old.object),
                                   { status: object.status || {} });

        } else if (kind.status && (!unchecked || !object.status)) {
            object.status = old.object.status;
        }

        Object.assign(object.metadata, { uid: was.uid, creationTimestamp:
            unchecked && meta.creationTimestamp || was.creationTimestamp });
        delete object.metadata.managedFields;
        this.validate(kind, object, old.object, unchecked);

        if (kind.kind === 'Service' && object.spec && old.object.spec) {
            object.spec.clusterIP = object.spec.clusterIP ||
                                    old.object.spec.clusterIP;
        }

        if (unchecked) {
            this.admit(kind, object);
        }

        kind.fill(object, this.serial);

        if (kind.generation) {
            const same = JSON.stringify(withoutMeta(object)) ===
                         JSON.stringify(withoutMeta(old.object));
            object.metadata.generation = was.generation + (same ? 0 : 1);
        }

        return this.write(kind, 'MODIFIED', object, old, who);
    }

    write(kind, type, object, old, who) {
        const meta = object.metadata;

        if (old) {
            meta.resourceVersion = String(old.version);
            meta.managedFields = old.object.metadata.managedFields;
            const same = new Entry(kind, structuredClone(object));
            if (same.json === old.json) {
                return old;
            }
        }

        meta.resourceVersion = String(this.next());

        if (this.managed) {
            meta.managedFields = who.fields ||
                                 this.managers(kind, object, old, who);
        } else {
            delete meta.managedFields;
        }

        return this.keep(kind, type, new Entry(kind, object), old);
    }

    // Server-side apply: who.manager, force

    applied(kind, old, body, who, force) {
        const [object, fields] = apply(kind, old, body, who.manager, force,
                                       now());

        delete object.metadata.managedFields;

        if (!old) {
            return this.create(kind, object, Object.assign({ fields }, who));
        }

        object.metadata.resourceVersion = String(old.version);

        return this.update(kind, old, object, Object.assign({ fields }, who));
    }

    managers(kind, object, old, who) {
        const mine = Object.assign({
            manager: who.manager, operation: 'Update',
            apiVersion: kind.apiVersion, time: now(), fieldsType: 'FieldsV1',
            fieldsV1: fieldsOf(who.subresource ? { status: object.status }
                                               : withoutMeta(object))
        }, who.subresource ? { subresource: who.subresource } : {});
        const others = (old && old.object.metadata.managedFields || [])
            .filter((m) => m.manager !== mine.manager ||
                           m.subresource !== mine.subresource);

        return [...others, mine];
    }

    remove(kind, entry) {
        const object = structuredClone(entry.object);

        object.metadata.resourceVersion = String(this.next());
        return this.keep(kind, 'DELETED', new Entry(kind, object), entry);
    }

    validate(kind, object, old, unchecked) {
        const wrong = [];
        const meta = object.metadata;

        if (unchecked) {
            return;
        }

        if (!meta.name) {
            throw s.unprocessable('', kind.kind, kind.group, [s.required(
                'metadata.name', 'name or generateName is required')]);
        }

        checkName(object, wrong);
        kind.check(object, wrong, old);

        if (!old && kind.kind === 'Ingress' && (object.spec || {})
            .ingressClassName && (meta.annotations || {})[CLASS])
        {
            wrong.push(s.invalid(`annotations.${CLASS}`,
                                 meta.annotations[CLASS], 'can not be set ' +
                                 'when the class field is also set'));
        }

        if (wrong.length) {
            throw s.unprocessable(meta.name, kind.kind,
                kind.kind === 'Event' ? '' : kind.group, wrong);
        }

        if (!old && !kind.cluster && !this.get(
            KINDS.find((k) => k.kind === 'Namespace'), '', meta.namespace))
        {
            throw s.notFound({ group: '', plural: 'namespaces',
                               qualified: 'namespaces' }, meta.namespace);
        }
    }

    // Admission: the default class goes to an Ingress that names none.

    admit(kind, object) {
        const annotations = object.metadata.annotations || {};

        if (kind.kind !== 'Ingress' || annotations[CLASS] ||
            (object.spec || {}).ingressClassName !== undefined)
        {
            return;
        }

        const found = this.all(KINDS.find((k) => k.kind === 'IngressClass'))
            .filter((e) => (e.object.metadata.annotations || {})
                [DEFAULT_CLASS] === 'true');

        if (found.length) {
            object.spec = object.spec || {};
            object.spec.ingressClassName = found[0].name;
        }
    }

    // Whatever a test wants to be there, as kubectl apply would put it.

    apply(object) {
        const kind = ofObject(object);

        if (!kind) {
            throw new Error(`no such kind: ${object.apiVersion} ` +
                            object.kind);
        }

        const meta = object.metadata;
        const who = { manager: 'kubectl' };

        if (kind.cluster) {
            delete meta.namespace;
        } else {
            meta.namespace = meta.namespace || 'default';
            this.namespace(meta.namespace);
        }

        const old = this.get(kind, meta.namespace, meta.name);

        return old ? this.update(kind, old, object, who, true)
                   : this.create(kind, object, who, true);
    }

    namespace(name) {
        const kind = KINDS.find((k) => k.kind === 'Namespace');

        if (!this.get(kind, '', name)) {
            this.create(kind, {
                kind: 'Namespace', apiVersion: 'v1',
                metadata: { name, labels: {
                    'kubernetes.io/metadata.name': name } },
                spec: { finalizers: ['kubernetes'] },
                status: { phase: 'Active' }
            }, { manager: 'kubectl' }, true);
        }
    }

    // All that ever happened to a kind, compact() or not

    log(kind) {
        return this.of(kind).log;
    }

    // What a watch from a version has missed; null when that is forgotten.

    since(kind, version) {
        const data = this.of(kind);
        const list = data.history;
        let low = 0;
        let high = list.length;

        if (version < data.oldest) {
            return null;
        }

        while (low < high) {
            const middle = low + high >> 1;
            if (list[middle].entry.version <= version) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }

        return list.slice(low);
    }

    // Nothing before now can be resumed, and no list be continued.

    compact() {
        for (const data of this.kinds.values()) {
            data.history = [];
            data.oldest = this.version;
        }

        this.snapshots.clear();
    }
}


function now() {
    return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}


module.exports = { Store, mergePatch, strategicPatch };
