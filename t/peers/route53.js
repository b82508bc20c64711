// Amazon Route 53 and where its credentials come from: STS, the container, the
// machine.  It verifies signatures on its own (SigV4), takes batches as a whole
// and nothing that is not as the service's documentation has it.
//
// reset(keys, sessions); zone {id, name, private}; put/remove {zone, set};
// dump {zone}; set {skew, token, role, page, busy}

'use strict';

const crypto = require('crypto');

const { run, fqdn, Refusal } = require('./cloud.js');

const NS = 'https://route53.amazonaws.com/doc/2013-04-01/';
const SKEW = 300 * 1000;
const TYPES = ['A', 'AAAA', 'CNAME', 'TXT', 'NS', 'SOA', 'MX', 'SRV', 'CAA',
               'PTR', 'DS'];

let zones, keys, settings, changes;


function reset() {
    zones = new Map();
    keys = new Map([['AKIDEXAMPLE',
                     { secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }]]);
    settings = { skew: 0, token: 'web-token', role: 'torii-role', page: 300,
                 container: 'container-token', region: 'us-east-1', busy: 0,
                 life: 3600 };
    changes = 0;
}


// XML, both ways

function escape(s) {
    return String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function element(name, content) {
    return content === undefined || content === null ? ''
        : `<${name}>${content}</${name}>`;
}

function leaf(name, value) {
    return value === undefined ? '' : element(name, escape(value));
}

function unescape(s) {
    return s.replace(/&(#\d+|#x[0-9a-f]+|\w+);/gi, (all, name) => {
        const known = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
        if (name[0] === '#') {
            return String.fromCharCode(name[1] === 'x'
                ? parseInt(name.slice(2), 16) : Number(name.slice(1)));
        }
        if (!(name in known)) {
            throw malformed('entity ' + name);
        }
        return known[name];
    });
}

// { name, children, text }
function parse(text) {
    const pieces = new RegExp([
        '<\\?[^?]*\\?>',
        '<(/?)(\\w+)((?:\\s+[\\w:]+="[^"]*")*)\\s*(/?)>',
        '([^<]+)'
    ].join('|'), 'gy');
    const root = { name: '', children: [], text: '' };
    const stack = [root];
    let match, at = 0;

    while ((match = pieces.exec(text)) !== null) {
        at = pieces.lastIndex;
        const top = stack[stack.length - 1];

        if (match[5] !== undefined) {
            top.text += unescape(match[5]);
        } else if (match[1]) {
            if (top.name !== match[2]) {
                throw malformed(`</${match[2]}> ends <${top.name}>`);
            }
            stack.pop();
        } else if (match[2]) {
            const child = { name: match[2], children: [], text: '',
                            attributes: match[3] };
            top.children.push(child);
            if (!match[4]) {
                stack.push(child);
            }
        }
    }

    if (at !== text.length || stack.length !== 1
        || root.children.length !== 1)
    {
        throw malformed(`XML at ${at}`);
    }
    return root.children[0];
}

function child(node, name) {
    return node.children.find((c) => c.name === name);
}

function value(node, name) {
    const found = child(node, name);
    return found && found.text;
}


// Errors

function refusal(status, code, message) {
    return new Refusal({
        status, type: 'text/xml',
        body: `<?xml version="1.0"?>\n<ErrorResponse xmlns="${NS}"><Error>`
            + element('Type', status < 500 ? 'Sender' : 'Receiver')
            + leaf('Code', code) + leaf('Message', message)
            + '</Error><RequestId>1</RequestId></ErrorResponse>'
    });
}

function malformed(what) {
    return refusal(400, 'InvalidInput', what);
}

function badBatch(messages) {
    return new Refusal({
        status: 400, type: 'text/xml',
        body: `<?xml version="1.0"?>\n<InvalidChangeBatch xmlns="${NS}">`
            + element('Messages', messages.map((m) => leaf('Message', m))
                .join('')) + '<RequestId>1</RequestId></InvalidChangeBatch>'
    });
}


// Signatures

function hmac(key, text) {
    return crypto.createHmac('sha256', key).update(text).digest();
}

function sha256(data) {
    return crypto.createHash('sha256').update(data).digest('hex');
}

function encode(s) {
    return encodeURIComponent(s).replace(/[!'()*]/g, (c) =>
        '%' + c.charCodeAt(0).toString(16).toUpperCase());
}

function canonicalQuery(query) {
    return query.split('&').filter(Boolean).map((pair) => {
        const [name, ...rest] = pair.split('=');
        return [encode(decodeURIComponent(name)),
                encode(decodeURIComponent(rest.join('=')))];
    }).sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1
        : a[1] < b[1] ? -1 : 1).map((p) => p.join('=')).join('&');
}

function verify(request) {
    const { headers } = request;
    const match = new RegExp('^AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/'
        + '([\\w-]+)/([\\w-]+)/aws4_request, *SignedHeaders=([\\w;-]+), *'
        + 'Signature=([0-9a-f]{64})$').exec(headers.authorization || '');
    const denied = (code, text) => refusal(403, code, text);

    if (!match) {
        throw denied('MissingAuthenticationToken', 'no signature');
    }

    const [, id, day, region, service, list, signature] = match;
    const date = headers['x-amz-date'] || '';
    const at = Date.parse(date.replace(
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    const now = Date.now() + settings.skew * 1000;
    const signed = list.split(';');
    const key = keys.get(id);

    if (!key) {
        throw denied('InvalidClientTokenId', 'no such key');
    }
    if (!(Math.abs(at - now) <= SKEW) || !date.startsWith(day)) {
        throw denied('SignatureDoesNotMatch', `Signature expired: ${date} is `
            + 'now earlier than it should be');
    }
    if (region !== settings.region || service !== 'route53') {
        throw denied('SignatureDoesNotMatch', `scope ${region}/${service}`);
    }
    if (list !== [...signed].sort().join(';') || !signed.includes('host')
        || Object.keys(headers).some((h) => h.startsWith('x-amz-')
                                     && !signed.includes(h)))
    {
        throw denied('SignatureDoesNotMatch', `signed headers ${list}`);
    }
    if (key.session && headers['x-amz-security-token'] !== key.session) {
        throw denied('InvalidClientTokenId', 'wrong session token');
    }
    if (key.until && key.until < Date.now()) {
        throw denied('ExpiredToken', 'the token is over');
    }

    const [path, query] = request.url.split('?');
    const canonical = [
        request.method, path, canonicalQuery(query || ''),
        ...signed.map((h) =>
            `${h}:${String(headers[h]).trim().replace(/ +/g, ' ')}`),
        '', list, sha256(request.body)
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', date,
                  `${day}/${region}/${service}/aws4_request`,
                  sha256(canonical)].join('\n');
    const chain = [day, region, service, 'aws4_request'].reduce(
        hmac, 'AWS4' + key.secret);

    if (hmac(chain, text).toString('hex') !== signature) {
        throw denied('SignatureDoesNotMatch', 'the request signature we '
            + `calculated does not match: ${canonical}`);
    }
}


// Sets

// "\052.a.example." for "*.a.example."
function wire(name) {
    return name.replace(/[^a-z0-9._-]/g, (c) =>
        '\\' + c.charCodeAt(0).toString(8).padStart(3, '0'));
}

function unwire(name) {
    return fqdn(name.replace(/\\([0-3][0-7]{2})/g, (all, digits) =>
        String.fromCharCode(parseInt(digits, 8))));
}

function order(name) {
    return name.slice(0, -1).split('.').reverse().join('.') + '.';
}

function keyOf(set) {
    return [order(set.name), set.type, set.set || ''].join('\n');
}

function sorted(zone) {
    return [...zone.sets.values()].map((set) => [keyOf(set), set])
        .sort((a, b) => a[0] < b[0] ? -1 : 1).map((p) => p[1]);
}

function setXml(set) {
    const a = set.alias;
    return element('ResourceRecordSet',
        leaf('Name', wire(set.name)) + leaf('Type', set.type)
        + leaf('SetIdentifier', set.set) + leaf('Weight', set.weight)
        + (a ? element('AliasTarget', leaf('HostedZoneId', a.zone)
            + leaf('DNSName', a.name)
            + leaf('EvaluateTargetHealth', String(a.health)))
            : leaf('TTL', set.ttl) + element('ResourceRecords',
                set.values.map((v) => element('ResourceRecord',
                    leaf('Value', v))).join('')))
        + (set.geo ? '<GeoProximityLocation><AWSRegion>x</AWSRegion>'
            + '</GeoProximityLocation>' : ''));
}

function readSet(node) {
    const set = { name: unwire(value(node, 'Name') || ''),
                  type: value(node, 'Type') };
    const records = child(node, 'ResourceRecords');
    const target = child(node, 'AliasTarget');
    const ttl = value(node, 'TTL');

    if (!TYPES.includes(set.type)) {
        throw malformed('type ' + set.type);
    }
    if (child(node, 'SetIdentifier')) {
        set.set = value(node, 'SetIdentifier');
        set.weight = value(node, 'Weight');
    }
    if (!records === !target) {
        throw malformed('either records or an alias');
    }
    if (target) {
        if (ttl !== undefined) {
            throw malformed('an alias has no TTL');
        }
        set.alias = { zone: value(target, 'HostedZoneId'),
                      name: fqdn(value(target, 'DNSName')),
                      health: value(target, 'EvaluateTargetHealth')
                              === 'true' };
        return set;
    }
    if (!/^\d+$/.test(ttl || '')) {
        throw malformed('TTL');
    }
    set.ttl = Number(ttl);
    set.values = records.children.map((r) => value(r, 'Value'));
    if (!set.values.length || set.values.some((v) => !v)) {
        throw malformed('no values');
    }
    return set;
}

function same(a, b) {
    const canonical = (s) => JSON.stringify([
        s.type, s.ttl, s.set, s.alias, s.values && [...s.values].sort()]);
    return canonical(a) === canonical(b);
}


// Requests

function changeBatch(zone, request) {
    const root = parse(request.body.toString());

    if (root.name !== 'ChangeResourceRecordSetsRequest'
        || !root.attributes.includes(`xmlns="${NS}"`)
        || !/^(text|application)\/xml/.test(request.headers['content-type']))
    {
        throw malformed(root.name);
    }

    const list = child(child(root, 'ChangeBatch'), 'Changes').children;
    const sets = new Map(zone.sets);
    const messages = [];
    let records = 0, chars = 0;

    for (const change of list) {
        const action = value(change, 'Action');
        const set = readSet(child(change, 'ResourceRecordSet'));
        const key = keyOf(set);
        const have = sets.get(key);
        const told = `[name='${set.name}', type='${set.type}']`;
        const others = [...sets.values()].filter((s) => s.name === set.name
                                                  && s.type !== set.type);

        records += set.values ? set.values.length : 1;
        chars += (set.values || []).join('').length;

        if (!set.name.endsWith('.' + zone.name) && set.name !== zone.name) {
            messages.push(`RRSet with DNS name ${set.name} is not permitted in`
                + ` zone ${zone.name}`);
        } else if ((set.values || []).some((v) => v.includes('refuse-me'))) {
            messages.push('Invalid Resource Record: refuse-me');
        } else if (set.type === 'TXT'
                   && !set.values.every((v) => /^("(\\.|[^"\\])*"\s*)+$/
                       .test(v)))
        {
            messages.push('InvalidCharacterString (Value should be enclosed '
                + 'in quotation marks)');
        } else if (action === 'DELETE') {
            if (!have) {
                messages.push(`Tried to delete resource record set ${told} but`
                    + ' it was not found');
            } else if (!same(have, set)) {
                messages.push(`Tried to delete resource record set ${told} but`
                    + ' the values provided do not match the current values');
            } else {
                sets.delete(key);
            }
        } else if (action !== 'CREATE') {
            throw malformed('action ' + action);
        } else if (have) {
            messages.push(`Tried to create resource record set ${told} but it `
                + 'already exists');
        } else if (others.some((s) => s.type === 'CNAME')
                   || (set.type === 'CNAME' && others.length))
        {
            messages.push(`RRSet of type ${set.type} with DNS name ${set.name}`
                + ' is not permitted because a conflicting RRSet with the same'
                + ' DNS name already exists in zone');
        } else {
            sets.set(key, set);
        }
    }

    if (!list.length || records > 1000 || chars > 32000) {
        throw badBatch([`batch of ${records} records, ${chars} characters`]);
    }
    if (messages.length) {
        throw badBatch(messages);
    }

    zone.sets = sets;
    changes++;
    return '<ChangeResourceRecordSetsResponse xmlns="' + NS + '"><ChangeInfo>'
        + leaf('Id', '/change/C' + changes) + leaf('Status', 'PENDING')
        + leaf('SubmittedAt', new Date().toISOString())
        + '</ChangeInfo></ChangeResourceRecordSetsResponse>';
}

function zoneXml(zone) {
    return element('HostedZone', leaf('Id', '/hostedzone/' + zone.id)
        + leaf('Name', wire(zone.name)) + leaf('CallerReference', 'x')
        + element('Config', leaf('PrivateZone', !!zone.private))
        + leaf('ResourceRecordSetCount', zone.sets.size));
}

function listZones(query) {
    const all = [...zones.values()];
    const at = query.get('marker')
        ? all.findIndex((z) => z.id === query.get('marker')) : 0;
    const max = Math.min(Number(query.get('maxitems') || 100), settings.page);
    const more = all.length > at + max;

    return `<ListHostedZonesResponse xmlns="${NS}">` + element('HostedZones',
        all.slice(at, at + max).map(zoneXml).join(''))
        + leaf('IsTruncated', more)
        + (more ? leaf('NextMarker', all[at + max].id) : '')
        + leaf('MaxItems', max) + '</ListHostedZonesResponse>';
}

function listSets(zone, query) {
    const all = sorted(zone);
    const max = Math.min(Number(query.get('maxitems') || 300), 300,
                         settings.page);
    const name = query.get('name');
    let at = 0;

    if (query.get('type') && !name) {
        throw malformed('a type without a name');
    }
    if (name) {
        const from = [order(unwire(name)), query.get('type') || '',
                      query.get('identifier') || ''].join('\n');
        at = all.findIndex((set) => keyOf(set) >= from);
        at = at < 0 ? all.length : at;
    }

    const next = all[at + max];
    return `<ListResourceRecordSetsResponse xmlns="${NS}">`
        + element('ResourceRecordSets',
                  all.slice(at, at + max).map(setXml).join(''))
        + leaf('IsTruncated', !!next)
        + (next ? leaf('NextRecordName', wire(next.name))
            + leaf('NextRecordType', next.type)
            + leaf('NextRecordIdentifier', next.set) : '')
        + leaf('MaxItems', max) + '</ListResourceRecordSetsResponse>';
}

function service(request) {
    verify(request);

    const [path, search] = request.url.split('?');
    const query = new URLSearchParams(search);
    const match = /^\/2013-04-01\/hostedzone(?:\/(\w+)(\/rrset\/?)?)?$/
        .exec(path);

    if (!match) {
        throw refusal(404, 'InvalidAction', path);
    }
    if (!match[1]) {
        return listZones(query);
    }

    const zone = zones.get(match[1]);
    if (!zone) {
        throw refusal(404, 'NoSuchHostedZone', `no zone ${match[1]}`);
    }
    if (settings.busy > 0 && request.method === 'POST') {
        settings.busy--;
        throw refusal(400, 'PriorRequestNotComplete', 'still at it');
    }
    if (request.method === 'POST' && match[2] === '/rrset/') {
        return changeBatch(zone, request);
    }
    if (request.method !== 'GET') {
        throw refusal(405, 'InvalidAction', request.method);
    }
    return match[2] ? listSets(zone, query)
        : `<GetHostedZoneResponse xmlns="${NS}">${zoneXml(zone)}`
          + '</GetHostedZoneResponse>';
}


// Credentials

function temporary() {
    const id = 'ASIA' + crypto.randomBytes(8).toString('hex').toUpperCase();
    const key = { secret: crypto.randomBytes(30).toString('base64'),
                  session: crypto.randomBytes(60).toString('base64'),
                  until: Date.now() + settings.life * 1000 };

    keys.set(id, key);
    return Object.assign({ id, expiration: new Date(key.until).toISOString()
        .replace(/\.\d+Z/, 'Z') }, key);
}

function json(key) {
    return { status: 200, type: 'application/json', body: JSON.stringify({
        Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: key.id,
        SecretAccessKey: key.secret, Token: key.session,
        Expiration: key.expiration }) };
}

function sts(request) {
    const form = new URLSearchParams(request.body.toString());

    if (form.get('Action') !== 'AssumeRoleWithWebIdentity'
        || form.get('Version') !== '2011-06-15' || !form.get('RoleArn')
        || !/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName'))
        || request.headers.authorization)
    {
        throw refusal(400, 'ValidationError', request.body.toString());
    }
    if (form.get('WebIdentityToken') !== settings.token) {
        throw refusal(400, 'InvalidIdentityToken', 'no such token');
    }

    const key = temporary();
    return { status: 200, type: 'text/xml', body:
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/'
        + 'doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><AssumedRoleUser>'
        + leaf('Arn', form.get('RoleArn')) + '</AssumedRoleUser><Credentials>'
        + leaf('AccessKeyId', key.id) + leaf('SecretAccessKey', key.secret)
        + leaf('SessionToken', key.session)
        + leaf('Expiration', key.expiration) + '</Credentials>'
        + '</AssumeRoleWithWebIdentityResult>'
        + '</AssumeRoleWithWebIdentityResponse>' };
}

function machine(request) {
    const base = '/latest/meta-data/iam/security-credentials/';
    const text = (body) => ({ status: 200, type: 'text/plain', body });

    if (request.method === 'PUT' && request.url === '/latest/api/token'
        && request.headers['x-aws-ec2-metadata-token-ttl-seconds'])
    {
        return text('imds-token');
    }
    if (request.headers['x-aws-ec2-metadata-token'] !== 'imds-token') {
        throw new Refusal({ status: 401, type: 'text/plain', body: 'no' });
    }
    if (request.url === base) {
        return text(settings.role + '\n');
    }
    if (request.url === base + settings.role) {
        return json(temporary());
    }
    throw new Refusal({ status: 404, type: 'text/plain', body: 'no' });
}

function handle(request) {
    if (request.url === '/' && request.method === 'POST') {
        return sts(request);
    }
    if (request.url === '/container') {
        if (request.headers.authorization !== settings.container) {
            throw new Refusal({ status: 400, type: 'text/plain', body: 'no' });
        }
        return json(temporary());
    }
    if (request.url.startsWith('/latest/')) {
        return machine(request);
    }
    return { status: 200, type: 'text/xml',
             body: '<?xml version="1.0"?>\n' + service(request) };
}


reset();

run({
    handle, reset,
    throttle: () => refusal(400, 'Throttling', 'Rate exceeded').answer,
    // a set is missing, and nothing else tells
    change: (answer, { what }) => Object.assign(answer, {
        body: what === 'drop' ? answer.body.replace(
            /<ResourceRecordSet>.*?<\/ResourceRecordSet>/, '') : answer.body
            .replace('<IsTruncated>true<', '<IsTruncated>false<') }),
    commands: {
        set: ({ settings: more }) => { Object.assign(settings, more); },
        zone: ({ id, name, private: hidden }) => {
            const zone = { id, name: fqdn(name), private: hidden,
                           sets: new Map() };
            for (const set of [
                { name: zone.name, type: 'NS', ttl: 172800,
                  values: ['ns-1.awsdns-1.org.'] },
                { name: zone.name, type: 'SOA', ttl: 900,
                  values: ['ns-1.awsdns-1.org. a.b. 1 7200 900 1209600 86400'] }
            ]) {
                zone.sets.set(keyOf(set), set);
            }
            zones.set(id, zone);
        },
        put: ({ zone, set }) => {
            const full = Object.assign({}, set, { name: fqdn(set.name) });
            zones.get(zone).sets.set(keyOf(full), full);
        },
        remove: ({ zone, set }) => {
            zones.get(zone).sets.delete(
                keyOf(Object.assign({}, set, { name: fqdn(set.name) })));
        },
        dump: ({ zone }) => ({ sets: sorted(zones.get(zone)) })
    }
});
