// Debian's Chromium, told by a test what to do: class Browser in ../browsing.py.
// A profile is a person at a browser of his own; "ann/2" is a second tab of the
// profile "ann".

'use strict';

const { chromium } = require('playwright-core');

const { options, serve } = require('./peer.js');


const profiles = new Map();
const pages = new Map();
const WAIT = { timeout: 15000 };
const ALL = { timeout: 40000 };     // of one command, whatever it waits for

const ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run', '--no-default-browser-check',
    '--host-resolver-rules=MAP *.test 127.0.0.1, MAP * ~NOTFOUND, '
        + 'EXCLUDE 127.0.0.1'
];

let browser = null;


async function contextOf(name) {
    if (!profiles.has(name)) {
        profiles.set(name, await browser.newContext(
            { ignoreHTTPSErrors: true }));
    }

    return profiles.get(name);
}


async function pageOf(name) {
    if (!pages.has(name)) {
        const context = await contextOf(name.split('/')[0]);
        const page = await context.newPage();

        page.setDefaultTimeout(WAIT.timeout);
        pages.set(name, page);
    }

    return pages.get(name);
}


async function shown(page, response) {
    return { url: page.url(), title: await page.title(),
             status: response ? response.status() : 0,
             text: await page.evaluate('document.body.innerText') };
}


function atProvider(url) {
    return url.origin === options.issuer;
}


// The answer that the page ends at, whatever leads there.

async function leads(page, act) {
    let last = null;
    const note = (response) => {
        if (response.request().isNavigationRequest()
            && response.frame() === page.mainFrame()
            && ![301, 302, 303, 307, 308].includes(response.status()))
        {
            last = response;
        }
    };

    page.on('response', note);

    try {
        await act();
        await page.waitForLoadState('load', WAIT);
        return await shown(page, last);
    } finally {
        page.off('response', note);
    }
}


async function fillIn(page, name) {
    await page.fill('input[name=login]', name);
    await page.fill('input[name=password]', 'x');
    await page.click('button.login-submit');

    if (/\/interaction\//.test(page.url())) {
        await page.click('button[type=submit]');
    }

    await page.waitForURL((url) => !atProvider(url), WAIT);
}


const commands = {

    async open({ profile, url }) {
        const page = await pageOf(profile);

        return leads(page, () => page.goto(url, WAIT));
    },

    async login({ profile, url, name }) {
        const page = await pageOf(profile);

        return leads(page, async () => {
            await page.goto(url, WAIT);
            if (atProvider(new URL(page.url()))) {
                await fillIn(page, name);
            }
        });
    },

    async enter({ profile, name }) {
        const page = await pageOf(profile);

        return leads(page, () => fillIn(page, name));
    },

    async click({ profile, selector }) {
        const page = await pageOf(profile);

        return leads(page, async () => {
            await page.click(selector);
            await page.waitForLoadState('load', WAIT);
        });
    },

    // the body of an async function within the page

    async run({ profile, script }) {
        const page = await pageOf(profile);

        return { value: await page.evaluate(
            `(async () => {${script}})()`) };
    },

    async wait({ profile, script }) {
        const page = await pageOf(profile);

        await page.waitForFunction(script, null, WAIT);
        return {};
    },

    async cookies({ profile }) {
        const page = await pageOf(profile);

        return { cookies: await page.context().cookies() };
    },

    async close({ profile }) {
        const context = profiles.get(profile);

        for (const name of [...pages.keys()]) {
            if (name.split('/')[0] === profile) {
                pages.delete(name);
            }
        }

        profiles.delete(profile);

        if (context) {
            await context.close();
        }

        return {};
    },

    async end() {
        await browser.close();
        return {};
    }
};


// Scripts in a page, new pages and the end of old ones have no time limit of
// their own.

function inTime(ask) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(
            `no end of ${JSON.stringify(ask)}`)), ALL.timeout);
    });

    return Promise.race([commands[ask.command](ask), late])
        .finally(() => clearTimeout(timer));
}


async function main() {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium',
                                      headless: true, args: ARGUMENTS });

    serve({ version: browser.version() }, inTime);
}


main();
