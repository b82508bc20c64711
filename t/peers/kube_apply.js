// Server-side apply, as far as Secrets need it: maps are merged key by key,
// each leaf has its owners, lists are leaves.

'use strict';

const s = require('./kube_status.js');


const FIXED = ['apiVersion', 'kind'];
const NAMES = ['name', 'namespace'];


// Leaves of an object by their paths: {"data\u0000tls.crt": value}

function leavesOf(object) {
    const out = new Map();

    function walk(value, path) {
        if (value && typeof value === 'object' && !Array.isArray(value)) {
            for (const key in value) {
                walk(value[key], [...path, key]);
            }

        } else {
            out.set(path.join('\u0000'), value);
        }
    }

    for (const key in object) {
        if (key === 'metadata') {
            for (const name in object.metadata) {
                if (!NAMES.includes(name)) {
                    walk(object.metadata[name], [key, name]);
                }
            }

        } else if (!FIXED.includes(key)) {
            walk(object[key], [key]);
        }
    }

    return out;
}


// The paths of a FieldsV1, and back

function pathsOf(fields, path = []) {
    const keys = Object.keys(fields).filter((k) => k.startsWith('f:'));

    return keys.length || path.length === 0
        ? keys.flatMap((k) => pathsOf(fields[k], [...path, k.slice(2)]))
        : [path.join('\u0000')];
}


function fieldsFrom(paths) {
    const out = {};

    for (const path of paths) {
        let at = out;
        for (const key of path.split('\u0000')) {
            at = at['f:' + key] = at['f:' + key] || {};
        }
    }

    return out;
}


function put(object, path, value) {
    const keys = path.split('\u0000');
    const last = keys.pop();
    let at = object;

    for (const key of keys) {
        at = at[key] = at[key] || {};
    }

    at[last] = value;
}


function take(object, path) {
    const keys = path.split('\u0000');
    const last = keys.pop();
    let at = object;

    for (const key of keys) {
        at = at && at[key];
    }

    if (at) {
        delete at[last];
    }
}


function conflict(kind, name, found) {
    const list = found.map(([manager, path]) =>
        `conflict with "${manager}": .${path.split('\u0000').join('.')}`);

    return new s.Refusal(409, 'Conflict',
        `Apply failed with ${found.length} conflict` +
        `${found.length > 1 ? 's' : ''}: ${list.join(', ')}`,
        s.detailsOf(kind, name));
}


// What old becomes: [object, managedFields]; old null: there is none.

function apply(kind, old, body, manager, force, now) {
    const wanted = leavesOf(body);
    const object = old ? structuredClone(old.object)
                       : { apiVersion: body.apiVersion, kind: body.kind,
                           metadata: { name: body.metadata.name,
                                       namespace: body.metadata.namespace } };
    const had = leavesOf(object);
    const managed = object.metadata.managedFields || [];
    const mine = managed.find((m) => m.manager === manager &&
                                     m.operation === 'Apply');
    const others = managed.filter((m) => m !== mine).map((m) =>
        Object.assign({}, m, { paths: new Set(pathsOf(m.fieldsV1)) }));
    const clash = [];

    for (const [path, value] of wanted) {
        for (const other of others.filter((m) => m.paths.has(path))) {
            if (JSON.stringify(had.get(path)) !== JSON.stringify(value)) {
                clash.push([other.manager, path]);
            }
        }
    }

    if (clash.length && !force) {
        throw conflict(kind, body.metadata.name, clash);
    }

    for (const [manager_, path] of clash) {
        others.filter((m) => m.manager === manager_)
            .forEach((m) => m.paths.delete(path));
    }

    for (const path of mine ? pathsOf(mine.fieldsV1) : []) {
        if (!wanted.has(path) && !others.some((m) => m.paths.has(path))) {
            take(object, path);
        }
    }

    for (const [path, value] of wanted) {
        put(object, path, value);
    }

    const fields = others.filter((m) => m.paths.size).map((m) => {
        const { paths, ...rest } = m;
        return Object.assign(rest, { fieldsV1: fieldsFrom(paths) });
    });

    fields.push({
        manager, operation: 'Apply', apiVersion: kind.apiVersion,
        time: now, fieldsType: 'FieldsV1',
        fieldsV1: fieldsFrom(wanted.keys())
    });

    return [object, fields];
}


module.exports = { apply };
