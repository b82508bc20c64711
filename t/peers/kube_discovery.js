// What the stand-in for the Kubernetes API tells of itself: versions, groups
// and resources, as kubectl asks for them.

'use strict';

const { served } = require('./kube_kinds.js');


const VERSION = {
    major: '1', minor: '36', emulationMajor: '1', emulationMinor: '36',
    minCompatibilityMajor: '1', minCompatibilityMinor: '35',
    gitVersion: 'v1.36.2',
    gitCommit: '8e16b12fda5b1dccc41a6de48b3e356cc7d5048b', gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z', goVersion: 'go1.27.3', compiler: 'gc',
    platform: 'linux/amd64'
};


function group(name) {
    const version = { groupVersion: `${name}/v1`, version: 'v1' };

    return { name, versions: [version], preferredVersion: version };
}


function groups(kinds) {
    return [...new Set(kinds.map((k) => k.group))].filter((g) => g);
}


function resources(kinds, apiVersion) {
    const list = [];

    for (const kind of kinds.filter((k) => k.apiVersion === apiVersion)) {
        const more = kind.hash ? { storageVersionHash: kind.hash } : {};

        list.push(Object.assign({
            name: kind.plural, singularName: kind.singular,
            namespaced: !kind.cluster, kind: kind.kind, verbs: kind.verbs
        }, kind.short.length ? { shortNames: kind.short } : {}, more));

        if (kind.status) {
            list.push({ name: kind.plural + '/status', singularName: '',
                        namespaced: !kind.cluster, kind: kind.kind,
                        verbs: ['get', 'patch', 'update'] });
        }
    }

    return list.length
        ? Object.assign({ kind: 'APIResourceList' },
                        apiVersion === 'v1' ? {} : { apiVersion: 'v1' },
                        { groupVersion: apiVersion, resources: list })
        : null;
}


// OpenAPI, as much as kubectl apply wants: whether the server validates fields

function openapi(all, parts) {
    const prefix = parts.slice(2).join('/');

    if (!prefix) {
        return { paths: Object.fromEntries(all.map((k) => [
            k.prefix.slice(1),
            { serverRelativeURL: `/openapi/v3${k.prefix}?hash=1` }])) };
    }

    const kinds = all.filter((k) => k.prefix === '/' + prefix);

    return kinds.length ? {
        openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.36.2' },
        components: { schemas: {} },
        paths: Object.fromEntries(kinds.map((k) => [
            `${k.prefix}/${k.plural}/{name}`, { patch: {
                parameters: [{ name: 'fieldValidation', in: 'query' }],
                responses: {},
                'x-kubernetes-group-version-kind': {
                    group: k.group, version: k.version, kind: k.kind }
            } }]))
    } : null;
}


// The document of a path, or null

function discover(path, crds) {
    const kinds = served(crds);
    const parts = path.replace(/\/$/, '').split('/').slice(1);

    if (path === '/version') {
        return VERSION;
    }

    if (path.startsWith('/openapi/v3')) {
        return openapi(kinds, parts);
    }

    if (parts[0] === 'api') {
        return parts.length === 1
            ? { kind: 'APIVersions', versions: ['v1'],
                serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0',
                                               serverAddress: '' }] }
            : parts.length === 2 ? resources(kinds, parts[1]) : null;
    }

    if (parts[0] !== 'apis' || parts.length > 3) {
        return null;
    }

    if (parts.length === 1) {
        return { kind: 'APIGroupList', apiVersion: 'v1',
                 groups: groups(kinds).map(group) };
    }

    if (parts.length === 2) {
        return groups(kinds).includes(parts[1])
            ? Object.assign({ kind: 'APIGroup', apiVersion: 'v1' },
                            group(parts[1])) : null;
    }

    return resources(kinds, `${parts[1]}/${parts[2]}`);
}


module.exports = { discover };
