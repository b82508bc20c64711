// The kinds that the stand-in for the Kubernetes API knows: how they are
// named, what the API server fills in, and what it refuses.

'use strict';

const { invalid, required } = require('./kube_status.js');


const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*' +
                  '[a-z0-9])?)*';
const SUBDOMAIN_TEXT = 'a lowercase RFC 1123 subdomain must consist of lower ' +
    'case alphanumeric characters, \'-\' or \'.\', and must start and end ' +
    'with an alphanumeric character (e.g. \'example.com\', regex used for ' +
    'validation is \'' + SUBDOMAIN + '\')';

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch',
             'update', 'watch'];
const MICRO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;


// Fields of bodies that a client may write, by kind: a text names a type,
// "?" is anything.

const ADDRESSES = { loadBalancer: { ingress: [{
    ip: 'string', hostname: 'string', ipMode: 'string',
    ports: [{ port: 'number', protocol: 'string', error: 'string' }]
}] } };

const REFERENCE = { kind: 'string', namespace: 'string', name: 'string',
                    uid: 'string', apiVersion: 'string',
                    resourceVersion: 'string', fieldPath: 'string' };

const BACKEND = {
    service: { name: 'string', port: { name: 'string', number: 'number' } },
    resource: { apiGroup: 'string', kind: 'string', name: 'string' }
};

const SCHEMAS = {
    Lease: { spec: {
        holderIdentity: 'string', leaseDurationSeconds: 'number',
        acquireTime: 'micro', renewTime: 'micro', leaseTransitions: 'number',
        strategy: 'string', preferredHolder: 'string'
    } },
    Event: {
        eventTime: 'micro', action: 'string', reason: 'string',
        type: 'string', note: 'string', reportingController: 'string',
        reportingInstance: 'string', regarding: REFERENCE, related: REFERENCE,
        series: { count: 'number', lastObservedTime: 'micro' },
        deprecatedCount: 'number', deprecatedFirstTimestamp: 'string',
        deprecatedLastTimestamp: 'string',
        deprecatedSource: { component: 'string', host: 'string' }
    },
    Ingress: {
        spec: {
            ingressClassName: 'string', defaultBackend: BACKEND,
            tls: [{ hosts: ['string'], secretName: 'string' }],
            rules: [{ host: 'string', http: { paths: [{
                path: 'string', pathType: 'string', backend: BACKEND
            }] } }]
        },
        status: ADDRESSES
    },
    IngressClass: { spec: { controller: 'string', parameters: '?' } },
    Secret: { type: 'string', data: 'base64', stringData: '?',
              immutable: '?' }
};

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const METADATA = {
    name: 'string', generateName: 'string', namespace: 'string',
    uid: 'string', resourceVersion: 'string', generation: 'number',
    creationTimestamp: '?', deletionTimestamp: 'string',
    deletionGracePeriodSeconds: 'number', labels: '?', annotations: '?',
    ownerReferences: '?', finalizers: '?', managedFields: '?',
    selfLink: 'string'
};


// Where body has what the schema does not: a text that says so, or null.

function unknownField(body, schema, path) {
    if (body === null || schema === '?') {
        return null;
    }

    if (schema === 'micro') {
        return MICRO.test(body) ? null : `${path} is no time with microseconds`;
    }

    if (schema === 'base64') {
        return Object.values(body).every((v) => BASE64.test(v))
            ? null : `${path} is no base64`;
    }

    if (typeof schema === 'string') {
        return typeof body === schema ? null : `${path} is no ${schema}`;
    }

    if (Array.isArray(schema)) {
        return Array.isArray(body)
            ? first(body, (v, i) => unknownField(v, schema[0], `${path}[${i}]`))
            : `${path} is no list`;
    }

    if (typeof body !== 'object' || Array.isArray(body)) {
        return `${path} is no object`;
    }

    return first(Object.keys(body), (key) => schema[key] === undefined
        ? `unknown field "${path}.${key}"`
        : unknownField(body[key], schema[key], `${path}.${key}`));
}


function first(list, check) {
    for (let i = 0; i < list.length; i++) {
        const found = check(list[i], i);
        if (found) {
            return found;
        }
    }

    return null;
}


function checkBody(kind, body) {
    const schema = SCHEMAS[kind.kind];

    return schema ? unknownField(body, Object.assign({
        kind: 'string', apiVersion: 'string', metadata: METADATA
    }, schema), kind.kind) : null;
}


// What the API server refuses

function isSubdomain(text) {
    return text.length <= 253 && new RegExp(`^${SUBDOMAIN}$`).test(text);
}


function checkName(object, wrong) {
    const { name, generateName } = object.metadata;

    if (generateName && !isSubdomain(generateName.replace(/-$/, 'a'))) {
        wrong.push(invalid('metadata.generateName', generateName,
                           SUBDOMAIN_TEXT));

    } else if (!generateName && !isSubdomain(name)) {
        wrong.push(invalid('metadata.name', name, SUBDOMAIN_TEXT));
    }
}


function checkPath(path, field, wrong) {
    const text = path.path || '';

    if (!path.pathType) {
        wrong.push(required(`${field}.pathType`, 'pathType must be specified'));
    }

    if (!text.startsWith('/') &&
        (text || path.pathType !== 'ImplementationSpecific'))
    {
        wrong.push(invalid(`${field}.path`, text, 'must be an absolute path'));
    }

    if (path.pathType !== 'ImplementationSpecific') {
        for (const bad of ['//', '/./', '/../', '%2f', '%2F']) {
            if (text.includes(bad)) {
                wrong.push(invalid(`${field}.path`, text,
                                   `must not contain '${bad}'`));
            }
        }
    }
}


function checkIngress(object, wrong) {
    const spec = object.spec || {};

    if (!spec.rules && !spec.defaultBackend) {
        wrong.push(invalid('spec', '', 'either `defaultBackend` or `rules` ' +
                                       'must be specified'));
    }

    (spec.rules || []).forEach((rule, i) => {
        const host = rule.host || '';
        const field = `spec.rules[${i}]`;

        if (host && !isSubdomain(host.replace(/^\*\./, ''))) {
            wrong.push(invalid(`${field}.host`, host, SUBDOMAIN_TEXT));
        }

        ((rule.http || {}).paths || []).forEach((path, j) => {
            checkPath(path, `${field}.http.paths[${j}]`, wrong);
        });
    });
}


function checkSlice(object, wrong) {
    (object.endpoints || []).forEach((endpoint, i) => {
        (endpoint.addresses || []).forEach((address, j) => {
            if (/^127\.|^::1$/.test(address)) {
                wrong.push(invalid(`endpoints[${i}].addresses[${j}]`, address,
                    'may not be in the loopback range ' +
                    '(127.0.0.0/8, ::1/128)'));
            }
        });
    });
}


function checkSecret(object, wrong, old) {
    if (old && object.type !== old.type) {
        wrong.push(invalid('type', object.type, 'field is immutable'));
    }

    if (object.type === 'kubernetes.io/tls') {
        for (const key of ['tls.crt', 'tls.key']) {
            if ((object.data || {})[key] === undefined) {
                wrong.push(required(`data[${key}]`));
            }
        }
    }
}


function checkLease(object, wrong) {
    const spec = object.spec || {};

    if (spec.leaseDurationSeconds !== undefined &&
        spec.leaseDurationSeconds <= 0)
    {
        wrong.push(invalid('spec.leaseDurationSeconds',
                           spec.leaseDurationSeconds,
                           'must be greater than 0'));
    }

    if (spec.leaseTransitions < 0) {
        wrong.push(invalid('spec.leaseTransitions', spec.leaseTransitions,
                           'must be greater than or equal to 0'));
    }
}


function checkEvent(object, wrong, old) {
    const limits = { reportingController: 253, reportingInstance: 128,
                     action: 128, reason: 128 };

    if (!object.eventTime) {
        wrong.push(required('eventTime'));
    }

    for (const name in limits) {
        if (!object[name]) {
            wrong.push(required(name));

        } else if (object[name].length > limits[name]) {
            wrong.push(invalid(name, object[name],
                               `can have at most ${limits[name]} characters`));
        }
    }

    if (!['Normal', 'Warning'].includes(object.type)) {
        wrong.push(invalid('type', object.type || '',
                           'has invalid value: must be Normal or Warning'));
    }

    if ((object.note || '').length > 1024) {
        wrong.push(invalid('note', object.note,
                           'can have at most 1024 characters'));
    }

    if (((object.regarding || {}).namespace || 'default') !==
        object.metadata.namespace)
    {
        wrong.push(invalid('involvedObject.namespace',
                           (object.regarding || {}).namespace || '',
                           'does not match event.namespace'));
    }

    if (object.series && !(object.series.count >= 2 &&
                           object.series.lastObservedTime))
    {
        wrong.push(invalid('series.count', String(object.series.count),
                           'should be at least 2'));
    }

    if (old) {
        checkEventUpdate(object, old, wrong);
    }
}


function checkEventUpdate(object, old, wrong) {
    for (const name of ['eventTime', 'reportingController', 'action', 'reason',
                        'reportingInstance', 'regarding', 'note', 'type'])
    {
        if (JSON.stringify(object[name]) !== JSON.stringify(old[name])) {
            wrong.push(invalid(name, object[name], 'field is immutable'));
        }
    }
}


// What the API server fills in

function fillService(object, serial) {
    const spec = object.spec || (object.spec = {});

    for (const port of spec.ports || []) {
        port.protocol = port.protocol || 'TCP';
        port.targetPort = port.targetPort === undefined ? port.port
                                                        : port.targetPort;
    }

    spec.type = spec.type || 'ClusterIP';
    spec.sessionAffinity = spec.sessionAffinity || 'None';

    if (spec.type !== 'ExternalName' && !spec.clusterIP) {
        spec.clusterIP = `10.0.${serial >> 8 & 255}.${serial & 255}`;
    }

    if (spec.type !== 'ExternalName') {
        spec.clusterIPs = [spec.clusterIP];
        spec.ipFamilies = spec.ipFamilies || ['IPv4'];
        spec.ipFamilyPolicy = spec.ipFamilyPolicy || 'SingleStack';
        spec.internalTrafficPolicy = spec.internalTrafficPolicy || 'Cluster';
    }

    object.status = object.status || { loadBalancer: {} };
}


function fillSlice(object) {
    object.endpoints = object.endpoints || null;
    object.ports = object.ports || null;

    for (const port of object.ports || []) {
        port.name = port.name || '';
        port.protocol = port.protocol || 'TCP';
    }
}


function fillSecret(object) {
    for (const key in object.stringData || {}) {
        object.data = object.data || {};
        object.data[key] = Buffer.from(object.stringData[key])
            .toString('base64');
    }

    delete object.stringData;
    object.type = object.type || 'Opaque';
}


function fillIngress(object) {
    object.status = object.status || { loadBalancer: {} };
}


const NETWORKING = ['networking.k8s.io', 'v1'];
const CERTIFICATES = ['cert-manager.io', 'v1'];
const CORE = ['', 'v1'];
const NO = () => {};

const KINDS = [
    [NETWORKING, 'IngressClass', 'ingressclasses', { cluster: true,
        hash: 'l/iqIbDgFyQ=' }],
    [NETWORKING, 'Ingress', 'ingresses', { status: true, short: ['ing'],
        hash: '39NQlfNR+bo=', check: checkIngress, fill: fillIngress,
        generation: true }],
    [CORE, 'Service', 'services', { status: true, short: ['svc'],
        fill: fillService }],
    [['discovery.k8s.io', 'v1'], 'EndpointSlice', 'endpointslices', {
        check: checkSlice, fill: fillSlice, generation: true }],
    [CORE, 'Secret', 'secrets', { check: checkSecret, fill: fillSecret }],
    [CORE, 'ConfigMap', 'configmaps', { short: ['cm'] }],
    [CORE, 'Namespace', 'namespaces', { cluster: true, status: true,
        short: ['ns'] }],
    [CORE, 'Node', 'nodes', { cluster: true, status: true, short: ['no'] }],
    [CORE, 'Pod', 'pods', { status: true, short: ['po'] }],
    [['coordination.k8s.io', 'v1'], 'Lease', 'leases', { check: checkLease }],
    [['events.k8s.io', 'v1'], 'Event', 'events', { short: ['ev'],
        check: checkEvent }],
    [CERTIFICATES, 'Issuer', 'issuers', { crd: true, status: true,
        generation: true }],
    [CERTIFICATES, 'ClusterIssuer', 'clusterissuers', { crd: true,
        cluster: true, status: true, generation: true }],
    [CERTIFICATES, 'Certificate', 'certificates', { crd: true, status: true,
        short: ['cert'], generation: true }]
].map(([[group, version], kind, plural, more]) => Object.assign({
    group, version, kind, plural, singular: kind.toLowerCase(), verbs: ALL,
    apiVersion: group ? `${group}/${version}` : version, short: [],
    qualified: group ? `${plural}.${group}` : plural, check: NO, fill: NO,
    prefix: group ? `/apis/${group}/${version}` : `/api/${version}`
}, more));


function ofObject(object) {
    return KINDS.find((k) => k.kind === object.kind &&
                             k.apiVersion === object.apiVersion);
}


// crds: whether those of cert-manager are installed

function served(crds) {
    return KINDS.filter((k) => crds || !k.crd);
}


module.exports = { KINDS, ofObject, served, checkBody, checkName };
