// GitHub Enterprise, GitLab and Google as far as a login sees them, strictly:
// class Social in ../idp.py tells what they know.

'use strict';

const { serve } = require('./peer.js');
const { state, send, refuse, authorize, redeem, bearer, run, answer }
    = require('./idp.js');
const { oidc } = require('./fakeop.js');


const github = {};

// GitHub answers an error of the token endpoint by 200

function githubToken(req, res, body) {
    if (state.person.denied) {
        send(res, 200, { error: 'bad_verification_code',
                         error_description: 'The code is incorrect' });
        return;
    }

    const grant = redeem(req, res, body, github);

    if (grant) {
        send(res, 200, { access_token: grant.token, token_type: 'bearer',
                         scope: grant.scope });
    }
}


// A page of a list; what no client should ask for is refused.

function page(res, query, list) {
    const size = Number(query.get('per_page') || 30);
    const number = Number(query.get('page') || 1);

    if (!(size >= 1 && size <= 100 && number >= 1)) {
        refuse(res, 'page', 422);
        return;
    }

    send(res, 200, (list || []).slice((number - 1) * size, number * size));
}


function githubApi(req, res, path, query) {
    // api.github.com answers 403 where it does not know who asks

    if (!req.headers['user-agent']) {
        refuse(res, 'user-agent', 403);
        return;
    }

    const person = bearer(req, res);

    if (!person) {
        return;
    }

    const { id, login, name } = person;

    switch (path) {

    case '/user':
        send(res, 200, { login, id, name, email: null });
        return;

    case '/user/emails':
        page(res, query, person.emails);
        return;

    case '/user/orgs':
        page(res, query, (person.orgs || []).map(
            (org, i) => ({ login: org, id: 100 + i })));
        return;

    case '/user/teams':
        page(res, query, (person.teams || []).map((text, i) => {
            const [org, slug] = text.split(':');

            return { id: i, slug, name: slug.toUpperCase(),
                     organization: { login: org } };
        }));
        return;
    }

    refuse(res, `path ${path}`, 404);
}


function toGithub(req, res, path, query, body) {
    switch (path) {

    case '/login/oauth/authorize':
        if (!/\buser:email\b/.test(query.get('scope'))) {
            refuse(res, 'scope');
            return;
        }

        authorize(req, res, query, github);
        return;

    case '/login/oauth/access_token':
        githubToken(req, res, body);
        return;
    }

    if (path.startsWith('/api/v3/')) {
        githubApi(req, res, path.slice('/api/v3'.length), query);
        return;
    }

    refuse(res, `path ${path}`, 404);
}


// person.projects: { path: { level, inherited, archived } }

function gitlabProject(req, res, path) {
    const person = bearer(req, res);

    if (!person) {
        return;
    }

    const name = decodeURIComponent(path);
    const one = (state.person.projects || {})[name];

    if (!one) {
        send(res, 404, { message: '404 Project Not Found' });
        return;
    }

    const access = { access_level: one.level, notification_level: 3 };

    send(res, 200, { id: 1, path_with_namespace: name,
                     archived: !!one.archived,
                     permissions: {
                         project_access: one.inherited ? null : access,
                         group_access: one.inherited ? access : null } });
}


async function main() {
    let gitlab = null;
    let google = null;

    const port = await run((req, res, path, query, body) => {
        const [, service, rest] = path.match(/^\/([a-z]+)(\/.*)$/) || [];

        if (service === 'github') {
            toGithub(req, res, rest, query, body);

        } else if (rest && rest.startsWith('/api/v4/projects/')) {
            gitlabProject(req, res, rest.slice('/api/v4/projects/'.length));

        } else if (service === 'gitlab') {
            gitlab(req, res, path, query, body);

        } else if (service === 'google') {
            google(req, res, path, query, body);

        } else {
            refuse(res, `path ${path}`, 404);
        }
    });

    const base = `http://127.0.0.1:${port}`;

    gitlab = oidc(`${base}/gitlab`, { oidc: true });
    google = oidc(`${base}/google`, { oidc: true, look: (query) => {
        state.asked = query.get('hd');
    } });

    serve({ port, base }, (command) => command.command === 'asked'
        ? { hd: state.asked || null } : answer(command));
}


main();
