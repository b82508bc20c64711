// Refusals as the Kubernetes API words them: Status objects (meta/v1).

'use strict';


class Refusal extends Error {
    constructor(code, reason, message, details, more) {
        super(message);
        this.code = code;
        this.more = more || {};
        this.status = {
            kind: 'Status', apiVersion: 'v1',
            metadata: this.more.metadata || {}, status: 'Failure', message,
            reason, details, code
        };
    }
}


function detailsOf(kind, name, more) {
    return Object.assign(name ? { name } : {},
                         kind.group ? { group: kind.group } : {},
                         { kind: kind.plural }, more);
}


function invalid(field, value, why) {
    return { reason: 'FieldValueInvalid', field,
             message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}


function required(field, why) {
    return { reason: 'FieldValueRequired', field,
             message: 'Required value' + (why ? ': ' + why : '') };
}


function forbidden(field, why) {
    return { reason: 'FieldValueForbidden', field,
             message: 'Forbidden: ' + why };
}


// 422 with its causes; kind is a name with its group: "Ingress.networking…"

function unprocessable(name, kind, group, causes) {
    const texts = causes.map((c) => `${c.field}: ${c.message}`);
    const text = texts.length > 1 ? `[${texts.join(', ')}]` : texts[0];

    return new Refusal(422, 'Invalid',
        `${kind}${group ? '.' + group : ''} "${name}" is invalid: ${text}`,
        Object.assign({ name }, group ? { group } : {}, { kind, causes }));
}


const unauthorized = () => new Refusal(401, 'Unauthorized', 'Unauthorized');

const badRequest = (message) => new Refusal(400, 'BadRequest', message);

const notFound = (kind, name) => new Refusal(404, 'NotFound',
    `${kind.qualified} "${name}" not found`, detailsOf(kind, name));

const exists = (kind, name) => new Refusal(409, 'AlreadyExists',
    `${kind.qualified} "${name}" already exists`, detailsOf(kind, name));

const conflict = (kind, name) => new Refusal(409, 'Conflict',
    `Operation cannot be fulfilled on ${kind.qualified} "${name}": the ` +
    'object has been modified; please apply your changes to the latest ' +
    'version and try again', detailsOf(kind, name));

const denied = (who, request) => new Refusal(403, 'Forbidden',
    `${request.kind.qualified} ${request.name ? `"${request.name}" ` : ''}is ` +
    `forbidden: User "${who}" cannot ${request.verb} resource ` +
    `"${request.resource}" in API group "${request.kind.group}" ` +
    (request.namespace ? `in the namespace "${request.namespace}"`
                       : 'at the cluster scope'),
    detailsOf(request.kind, request.name));

const tooOld = (asked, oldest) => new Refusal(410, 'Expired',
    `too old resource version: ${asked} (${oldest})`);

const expired = (token) => new Refusal(410, 'Expired',
    'The provided continue parameter is too old to display a consistent list ' +
    'result. You can start a new list without the continue parameter, or use ' +
    'the continue token in this response to retrieve the remainder of the ' +
    'results. Continuing with the provided token results in an inconsistent ' +
    'list - objects that were created, modified, or deleted between the time ' +
    'the first chunk was returned and now may show up in the list.',
    undefined, { metadata: { continue: token } });

const tooLarge = (asked, current) => new Refusal(504, 'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    { causes: [{ reason: 'ResourceVersionTooLarge',
                 message: 'Too large resource version' }],
      retryAfterSeconds: 1 });

const tooMany = (seconds) => new Refusal(429, 'TooManyRequests',
    'Too many requests, please try again later.',
    { retryAfterSeconds: seconds }, { headers: { 'Retry-After': seconds } });

const internal = (code) => new Refusal(code,
    code === 503 ? 'ServiceUnavailable' : 'InternalError',
    code === 503 ? 'apiserver is shutting down'
                 : 'Internal error occurred: etcdserver: request timed out',
    code === 503 ? undefined
                 : { causes: [{ message: 'etcdserver: request timed out' }] });


module.exports = { Refusal, invalid, required, forbidden, unprocessable,
                   unauthorized, badRequest, notFound, exists, conflict,
                   denied, tooOld, expired, tooLarge, tooMany, internal,
                   detailsOf };
