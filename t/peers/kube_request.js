// A request to the stand-in for the Kubernetes API: what it asks for, whether
// it is well formed, who asks, and whether he may.

'use strict';

const { KINDS, checkBody } = require('./kube_kinds.js');
const { truth } = require('./kube_watch.js');
const s = require('./kube_status.js');


const COMMON = ['pretty', 'timeout'];
const PARAMETERS = {
    get: ['resourceVersion'],
    list: ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch',
           'fieldSelector', 'labelSelector', 'watch', 'timeoutSeconds',
           'allowWatchBookmarks'],
    watch: ['watch', 'resourceVersion', 'resourceVersionMatch', 'limit',
            'fieldSelector', 'labelSelector', 'allowWatchBookmarks',
            'sendInitialEvents', 'timeoutSeconds', 'continue'],
    create: ['dryRun', 'fieldManager', 'fieldValidation'],
    update: ['dryRun', 'fieldManager', 'fieldValidation'],
    patch: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
    delete: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy',
             'orphanDependents'],
    deletecollection: []
};
const APPLY = 'application/apply-patch+yaml';
const PATCHES = ['application/merge-patch+json',
                 'application/strategic-merge-patch+json', APPLY];
const VERBS = { POST: 'create', PUT: 'update', PATCH: 'patch' };


// "/api/v1/namespaces/NS/secrets/NAME" and its like; null when it is none

function resourceOf(path) {
    for (const kind of KINDS) {
        if (!path.startsWith(kind.prefix + '/')) {
            continue;
        }

        const parts = path.slice(kind.prefix.length + 1).split('/')
            .map(decodeURIComponent);
        const inside = parts[0] === 'namespaces' && parts.length > 2 &&
                       kind.plural === parts[2] && !kind.cluster;

        if (!inside && parts[0] !== kind.plural) {
            continue;
        }

        const rest = inside ? parts.slice(3) : parts.slice(1);

        if (rest.length > 2 || rest[0] === '' ||
            rest.length > 1 && !(rest[1] === 'status' && kind.status) ||
            rest.length && !inside && !kind.cluster)
        {
            return null;
        }

        return { kind, namespace: inside ? parts[1] : '', name: rest[0] || '',
                 subresource: rest[1] || '' };
    }

    return null;
}


class Request {
    constructor(req, user) {
        const url = new URL(req.url, 'https://api');

        this.req = req;
        this.user = user;
        this.path = url.pathname;
        this.query = url.searchParams;
        this.wrong = [];
        this.plan = {};
        Object.assign(this, resourceOf(this.path));

        if (this.kind) {
            this.verb = this.verbOf(req.method);
            this.resource = this.kind.plural +
                (this.subresource ? '/' + this.subresource : '');
            this.fields = selector(this.query.get('fieldSelector'));
            this.labels = selector(this.query.get('labelSelector'));
        }
    }

    verbOf(method) {
        if (method === 'GET') {
            return this.name ? 'get'
                 : truth(this.query.get('watch')) ? 'watch' : 'list';
        }

        return method === 'DELETE'
            ? this.name ? 'delete' : 'deletecollection'
            : VERBS[method];
    }

    // What is not as a careful client would send it

    check() {
        const known = [...COMMON, ...PARAMETERS[this.verb] || []];

        for (const name of this.query.keys()) {
            if (!known.includes(name)) {
                this.wrong.push(`unknown query parameter "${name}"`);
            }
        }

        if (this.verb === 'watch' && !this.query.get('timeoutSeconds')) {
            this.wrong.push('a watch without timeoutSeconds');
        }

        for (const name in this.fields) {
            if (!['metadata.name', 'metadata.namespace'].includes(name) &&
                !(name === 'type' && this.kind.kind === 'Secret'))
            {
                throw s.badRequest('Unable to find ' + JSON.stringify(
                    this.kind.apiVersion + ', Kind=' + this.kind.kind) +
                    ` that match field selector "${name}": field label not ` +
                    'supported');
            }
        }

        const version = this.query.get('resourceVersion') || '';

        if (!/^\d*$/.test(version)) {
            throw s.badRequest('resourceVersion: Invalid value: ' +
                JSON.stringify(version) + ': strconv.ParseUint: parsing ' +
                JSON.stringify(version) + ': invalid syntax');
        }
    }

    // application/json, or its form "partial"

    accept(partial) {
        const list = this.verb === 'list' ? 'List' : '';

        for (const text of (this.req.headers.accept || '*/*').split(',')) {
            const [type, ...more] = text.split(';').map((t) => t.trim());
            const as = more.find((m) => m.startsWith('as='));

            if (!['application/json', 'application/*', '*/*'].includes(type)) {
                continue;
            }

            if (as === 'as=PartialObjectMetadata' + list && partial) {
                this.form = 'partial';
                return;
            }

            if (!as) {
                this.form = 'whole';
                return;
            }
        }

        if (this.req.headers.accept.includes('PartialObjectMetadata')) {
            this.form = 'whole';    // a server that does not know it
            return;
        }

        throw new s.Refusal(406, 'NotAcceptable',
            'only the following media types are accepted: application/json');
    }

    matches(entry) {
        const meta = entry.object.metadata;
        const labels = meta.labels || {};

        return (!this.namespace || entry.namespace === this.namespace) &&
            holds(this.fields, (name) => name === 'type' ? entry.object.type
                  : name === 'metadata.name' ? entry.name : entry.namespace) &&
            holds(this.labels, (name) => labels[name]);
    }

    // name that RBAC's resourceNames are held against

    get single() {
        return this.name || (this.fields || {})['metadata.name'] || '';
    }

    async body() {
        const type = (this.req.headers['content-type'] || '').split(';')[0];
        const pieces = [];
        let size = 0;

        for await (const piece of this.req) {
            size += piece.length;
            if (size > 3 << 20) {
                throw new s.Refusal(413, 'RequestEntityTooLarge',
                    'Request entity too large: limit is 3145728');
            }
            pieces.push(piece);
        }

        if (this.verb === 'delete' && !size) {
            return {};
        }

        if (this.verb === 'patch' ? !PATCHES.includes(type)
                                  : type !== 'application/json')
        {
            this.wrong.push(`content type "${type}" of a ${this.verb}`);
            throw new s.Refusal(415, 'UnsupportedMediaType',
                'the body of the request was in an unknown format - ' +
                'accepted media types include: ' + (this.verb === 'patch'
                    ? PATCHES.join(', ') : 'application/json'));
        }

        return this.decode(Buffer.concat(pieces).toString(), type);
    }

    decode(text, type) {
        let body;

        try {
            body = JSON.parse(text);
        } catch (e) {
            this.wrong.push('a body that is no JSON');
            throw s.badRequest('error decoding: ' + e.message);
        }

        this.merge = type === PATCHES[0];
        this.apply = type === APPLY;

        if (this.verb === 'delete') {
            return body;
        }

        this.options();

        const fault = this.verb === 'patch' && !this.merge && !this.apply
            ? null : checkBody(this.kind, body);

        if (fault) {
            this.wrong.push(fault);
        }

        if (this.verb !== 'patch' || this.apply) {
            this.identity(body);
        }

        if (this.apply && (body.stringData || body.metadata.managedFields ||
                           !body.metadata.name))
        {
            this.wrong.push('stringData, managedFields or no name in what ' +
                            'is applied');
        }

        return body;
    }

    // Field managers are asked for by name, and force is for apply alone.

    options() {
        if (this.verb === 'patch' && this.apply &&
            !this.query.get('fieldManager'))
        {
            throw s.unprocessable('', 'PatchOptions', 'meta.k8s.io',
                [s.required('fieldManager', 'is required for apply patch')]);
        }

        if (this.verb === 'patch' && !this.apply && this.query.get('force')) {
            throw s.unprocessable('', 'PatchOptions', 'meta.k8s.io',
                [s.forbidden('force',
                             'may not be specified for non-apply patch')]);
        }
    }

    identity(body) {
        const meta = body.metadata = body.metadata || {};
        const kind = this.kind;

        if (body.kind !== kind.kind || body.apiVersion !== kind.apiVersion) {
            this.wrong.push(`a ${body.apiVersion} ${body.kind} in the place ` +
                            `of a ${kind.apiVersion} ${kind.kind}`);
            throw s.badRequest(`${body.kind} in version "${body.apiVersion}" ` +
                `cannot be handled as a ${kind.kind}`);
        }

        if (this.name && meta.name !== this.name) {
            throw s.badRequest(`the name of the object (${meta.name}) does ` +
                `not match the name on the URL (${this.name})`);
        }

        if (meta.namespace && meta.namespace !== this.namespace) {
            throw s.badRequest('the namespace of the provided object does ' +
                'not match the namespace sent on the request');
        }

        if (this.namespace) {
            meta.namespace = this.namespace;
        }
    }
}


function selector(text) {
    const out = {};

    for (const term of (text || '').split(',').filter((t) => t)) {
        const found = /^([^=!]+)(==?|!=)(.*)$/.exec(term);

        if (!found) {
            throw s.badRequest(`unable to parse requirement: ${term}`);
        }

        out[found[1]] = found[2] === '!=' ? { not: found[3] } : found[3];
    }

    return out;
}


function holds(wanted, value) {
    for (const name in wanted || {}) {
        const w = wanted[name];

        if (w.not !== undefined ? value(name) === w.not : value(name) !== w) {
            return false;
        }
    }

    return true;
}


// Who asks: by token, by client certificate, or nobody known

function authenticate(req, tokens) {
    const header = /^Bearer (.+)$/.exec(req.headers.authorization || '');
    const socket = req.socket;

    if (header) {
        if (!tokens[header[1]]) {
            throw s.unauthorized();
        }
        return tokens[header[1]];
    }

    const cert = socket.getPeerCertificate && socket.getPeerCertificate();

    if (cert && cert.subject && socket.authorized) {
        return cert.subject.CN;
    }

    return 'system:anonymous';
}


// rules: [{user, namespace, apiGroups, resources, resourceNames, verbs}], each
// as in a Role (namespace) or a ClusterRole (none)

function authorize(rules, request, verb = request.verb) {
    const has = (list, value) => !list || list.includes('*') ||
                                 list.includes(value);

    return rules.some((rule) =>
        rule.user === request.user &&
        (!rule.namespace || rule.namespace === request.namespace) &&
        has(rule.apiGroups, request.kind.group) &&
        has(rule.resources, request.resource) &&
        has(rule.verbs, verb) &&
        (!rule.resourceNames ||
         rule.resourceNames.includes(request.single)));
}


module.exports = { Request, authenticate, authorize };
