
/*
 * Orders of the ACME client against a strict CA: what goes well, what goes
 * wrong and how it is told apart.
 */

#include "ca_world.h"
#include "tap.h"


typedef struct {
    const char      *name;
    const char      *names;              /* blank-separated */
    uint8_t          types[ACME_CHALLENGE_MAX];
    ca_ways_t        is;
    acme_fail_e      fail;
    const char      *type;               /* of the problem */
    const char      *sub;                /* the first subproblem's name */
    uint32_t         least;              /* seconds that it takes */
    uint32_t         most;
    int64_t          retry;              /* seconds from the end, 0: none */
    const char      *replaces;
    const char      *preferred;
} order_case_t;


static const order_case_t  order_cases[] = {

    /* what goes well */

    { .name = "http-01", .names = "a.example", .types = { HTTP }, .most = 5 },
    { .name = "two names, tls-alpn-01", .names = "a.example b.example",
      .types = { ALPN }, .most = 5 },
    { .name = "a name and its wildcard", .names = "a.example *.a.example",
      .types = { DNS, HTTP }, .most = 5 },
    { .name = "addresses", .names = "192.0.2.1 2001:db8::1",
      .types = { DNS, HTTP }, .most = 5 },
    { .name = "an address by tls-alpn-01", .names = "192.0.2.1",
      .types = { ALPN }, .most = 5 },
    { .name = "the second type is offered", .names = "a.example",
      .types = { HTTP, DNS },
      .is = { .offers = 4 }, .most = 5 },
    { .name = "dns-persist-01", .names = "*.a.example", .types = { PERSIST },
      .is = { .offers = 12 }, .most = 5 },
    { .name = "a slow validation", .names = "a.example", .types = { HTTP },
      .is = { .slow_authz = 4 }, .least = 23, .most = 25 },
    { .name = "a slow issuance", .names = "a.example", .types = { HTTP },
      .is = { .slow_order = 12 }, .least = 24, .most = 26 },
    { .name = "all is valid already", .names = "a.example b.example",
      .types = { HTTP },
      .is = { .reuse = 1 }, .most = 3 },
    { .name = "finalize says nothing", .names = "a.example", .types = { HTTP },
      .is = { .poor_finalize = 1 }, .most = 5 },
    { .name = "no date of expiry", .names = "a.example", .types = { HTTP },
      .is = { .no_expiry = 1 }, .most = 5 },
    { .name = "the preferred chain", .names = "a.example", .types = { HTTP },
      .is = { .other_chain = 1 }, .preferred = "Other Root" },
    { .name = "the preferred chain is the first", .names = "a.example",
      .types = { HTTP },
      .is = { .other_chain = 1 }, .preferred = "Root" },
    { .name = "no chain is the preferred one", .names = "a.example",
      .types = { HTTP },
      .is = { .other_chain = 1 }, .preferred = "Nobody" },
    { .name = "terms of service", .names = "a.example", .types = { HTTP },
      .is = { .terms = "https://ca.example/terms" } },
    { .name = "external account binding", .names = "a.example",
      .types = { HTTP },
      .is = { .eab_key = "a secret of the CA" } },
    { .name = "a binding is wanted before the account is looked for",
      .names = "a.example", .types = { HTTP },
      .is = { .eab_key = "a secret of the CA",
      .wrong = { { .kind = CA_REGISTER, .nth = 1, .times = 1, .status = 403,
      .type = "externalAccountRequired" } } } },
    { .name = "replaces is accepted", .names = "a.example", .types = { HTTP },
      .replaces = "aYhb.AIdl" },

    /* what goes wrong and comes right */

    { .name = "500 for a while", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 3,
      .status = 500, .type = "serverInternal" } } }, .least = 21, .most = 32 },
    { .name = "a directory at the second try", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_DIRECTORY, .nth = 1, .times = 1 } } },
      .least = 1, .most = 6 },
    { .name = "nonces at the second try", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NONCE, .nth = 1, .times = 1,
      .status = 503, .type = "serverInternal", .retry_after = "7" } } },
      .least = 7, .most = 13 },
    { .name = "finalize comes too early", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_FINALIZE, .nth = 1, .times = 2,
      .status = 403, .type = "orderNotReady" } } } },
    { .name = "finalize was done, and fails", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_FINALIZE, .nth = 1, .times = 1,
      .status = 502, .done = 1 } } } },
    { .name = "a poll of the order fails", .names = "a.example",
      .types = { HTTP },
      .is = { .slow_order = 3, .wrong = { { .kind = CA_ORDER, .nth = 2,
      .times = 2, .status = 503 } } } },
    { .name = "a poll is told to wait", .names = "a.example",
      .types = { HTTP },
      .is = { .slow_order = 1, .wrong = { { .kind = CA_ORDER, .nth = 2,
      .times = 1, .status = 429, .type = "rateLimited", .retry_after = "20" } }
      }, .least = 20, .most = 25 },
    { .name = "Retry-After as a date", .names = "a.example", .types = { HTTP },
      .is = { .slow_order = 2, .wrong = { { .kind = CA_ORDER, .nth = 2,
      .times = 1, .status = 200, .done = 1,
      .retry_after = "Sun, 22 Nov 2026 15:00:32 GMT" } } }, .least = 30,
      .most = 35 },
    { .name = "Retry-After: 0", .names = "a.example", .types = { HTTP },
      .is = { .slow_order = 300, .wrong = { { .kind = CA_ORDER, .nth = 2,
      .times = 300, .status = 200, .done = 1, .retry_after = "0" } } },
      .least = 290, .most = 310 },
    { .name = "a challenge is refused and done", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CHALLENGE, .nth = 1, .times = 1,
      .status = 400, .done = 1, .type = "malformed" } } } },
    { .name = "a challenge's answer is lost", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CHALLENGE, .nth = 1, .times = 1,
      .done = 1 } } } },
    { .name = "a challenge's request is lost, twice", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CHALLENGE, .nth = 1, .times = 2 } } } },
    { .name = "contacts are refused", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_REGISTER, .nth = 2, .times = 1,
      .status = 400, .type = "invalidContact" } } } },
    { .name = "the account is gone", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 1,
      .status = 400, .type = "accountDoesNotExist" } } } },
    { .name = "a page instead of the order, for a while",
      .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_ORDER, .nth = 1, .times = 2,
      .status = 200, .body = "<html>" }, { .kind = CA_AUTHZ, .nth = 1,
      .times = 3, .status = 200, .body = "<html>" } } } },
    { .name = "a page instead of the order", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_ORDER, .nth = 1, .times = 999,
      .status = 200, .body = "<html>" } } },
      .fail = ACME_FAIL_SERVER, .least = 21, .most = 30 },
    { .name = "many a bad nonce", .names = "a.example", .types = { HTTP },
      .is = { .bad_nonces = 50 } },

    /* what fails */

    { .name = "a CA that is not there", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_DIRECTORY, .nth = 1, .times = 99 } } },
      .fail = ACME_FAIL_NETWORK, .least = 21, .most = 27 },
    { .name = "a directory of something else", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_DIRECTORY, .nth = 1, .times = 99,
      .status = 200, .body = "<html>" } } },
      .fail = ACME_FAIL_NETWORK },
    { .name = "a directory with http URLs", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_DIRECTORY, .nth = 1, .times = 99,
      .status = 200,
      .body = "{\"newNonce\":\"http://ca.example/a\",\"newAccount\":"
      "\"https://ca.example/b\",\"newOrder\":\"https://ca.example/c\"}" } } },
      .fail = ACME_FAIL_NETWORK },
    { .name = "a directory that leads elsewhere", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_DIRECTORY, .nth = 1, .times = 99,
      .status = 302 } } },
      .fail = ACME_FAIL_NETWORK, .most = 1 },
    { .name = "a POST that leads elsewhere", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 307 } } },
      .fail = ACME_FAIL_NETWORK, .most = 1 },
    { .name = "HTML instead of a problem", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 403, .body = "<html>" } } },
      .fail = ACME_FAIL_NETWORK, .most = 1 },
    { .name = "500 all the time", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 500 } } },
      .fail = ACME_FAIL_SERVER, .least = 21, .most = 27 },
    { .name = "503 for an hour is not waited for", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 503, .retry_after = "3600" } } },
      .fail = ACME_FAIL_SERVER, .most = 1, .retry = 3600 },
    { .name = "no nonces", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NONCE, .nth = 1, .times = 99,
      .status = 500 } } },
      .fail = ACME_FAIL_SERVER, .least = 21, .most = 27 },
    { .name = "only bad nonces", .names = "a.example", .types = { HTTP },
      .is = { .bad_nonces = 100 },
      .fail = ACME_FAIL_SERVER, .type = "badNonce", .least = 21, .most = 27 },
    { .name = "too many orders", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 429, .type = "rateLimited", .retry_after = "7200" } } },
      .fail = ACME_FAIL_LIMIT, .type = "rateLimited", .most = 1, .retry = 7200
      },
    { .name = "too many orders, until a date", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 99,
      .status = 503, .type = "rateLimited",
      .retry_after = "Sun, 22 Nov 2026 15:30:00 GMT" } } },
      .fail = ACME_FAIL_LIMIT, .most = 1, .retry = 1800 },
    { .name = "a name that is not validated", .names = "a.example b.example",
      .types = { HTTP },
      .is = { .failing = "b.example" },
      .fail = ACME_FAIL_VALIDATION, .type = "unauthorized", .sub = "b.example",
      .most = 5 },
    { .name = "CAA forbids the wildcard", .names = "a.example *.a.example",
      .types = { DNS },
      .is = { .failing = "*.a.example", .failing_type = "caa" },
      .fail = ACME_FAIL_NAME, .type = "caa", .sub = "*.a.example" },
    { .name = "a name that is refused", .names = "a.example b.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "rejectedIdentifier",
      .more = ",\"subproblems\":[{\"type\":\"" CA_ACME
      "rejectedIdentifier\",\"detail\":\"no\",\"identifier\":{\"type\":\"dns\","
      "\"value\":\"b.example\"}}]" } } },
      .fail = ACME_FAIL_NAME, .type = "rejectedIdentifier", .sub = "b.example",
      .most = 1 },
    { .name = "several reasons", .names = "a.example b.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "compound",
      .more = ",\"subproblems\":[{\"type\":\"" CA_ACME "malformed\"},"
      "{\"type\":\"" CA_ACME "caa\",\"identifier\":{\"value\":\"a.example\"}}"
      "]" } } },
      .fail = ACME_FAIL_NAME, .type = "compound", .sub = "", .most = 1 },
    { .name = "replaced already", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 409, .type = "alreadyReplaced" } } },
      .fail = ACME_FAIL_REPLACED, .replaces = "aYhb.AIdl", .most = 1 },
    { .name = "replaces makes it malformed", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "malformed" } } },
      .fail = ACME_FAIL_REPLACED, .replaces = "aYhb.AIdl" },
    { .name = "malformed without it", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "malformed" } } },
      .fail = ACME_FAIL_ORDER },
    { .name = "a profile that is not there", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "invalidProfile" } } },
      .fail = ACME_FAIL_PROFILE },
    { .name = "the operator must act", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 403, .type = "userActionRequired",
      .more = ",\"instance\":\"https://ca.example/x\"" } } },
      .fail = ACME_FAIL_ACCOUNT, .type = "userActionRequired" },
    { .name = "the account is refused", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_REGISTER, .nth = 2, .times = 9,
      .status = 403, .type = "externalAccountRequired" } } },
      .fail = ACME_FAIL_ACCOUNT, .most = 1 },
    { .name = "the account is gone, and again", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 400, .type = "accountDoesNotExist" } } },
      .fail = ACME_FAIL_ACCOUNT, .most = 1 },
    { .name = "a key that is refused", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_FINALIZE, .nth = 1, .times = 9,
      .status = 400, .type = "badCSR" } } },
      .fail = ACME_FAIL_CSR },
    { .name = "finalize is never ready", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_FINALIZE, .nth = 1, .times = 9,
      .status = 403, .type = "orderNotReady" } } },
      .fail = ACME_FAIL_ORDER },
    { .name = "no type in common", .names = "a.example", .types = { DNS },
      .is = { .offers = 1 },
      .fail = ACME_FAIL_CONFIG, .sub = "a.example" },
    { .name = "http-01 for a wildcard", .names = "*.a.example",
      .types = { HTTP, ALPN },
      .fail = ACME_FAIL_CONFIG },
    { .name = "dns-01 for an address", .names = "192.0.2.1", .types = { DNS },
      .fail = ACME_FAIL_CONFIG },
    { .name = "a token that is a path", .names = "a.example",
      .types = { HTTP },
      .is = { .token = "../../../etc/nginx/nginx.conf" },
      .fail = ACME_FAIL_ORDER, .sub = "a.example" },
    { .name = "a short token", .names = "a.example", .types = { HTTP },
      .is = { .token = "abc" },
      .fail = ACME_FAIL_ORDER },
    { .name = "an authorization for others", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong_authz = 1 },
      .fail = ACME_FAIL_ORDER },
    { .name = "an authorization that is over", .names = "a.example",
      .types = { HTTP },
      .is = { .authz_status = "expired" },
      .fail = ACME_FAIL_ORDER, .sub = "a.example" },
    { .name = "a status nobody knows", .names = "a.example", .types = { HTTP },
      .is = { .authz_status = "VALID" },
      .fail = ACME_FAIL_ORDER },
    { .name = "an order nobody knows", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 201, .done = 1, .body = "{\"status\":\"ordered\"}" } } },
      .fail = ACME_FAIL_ORDER },
    { .name = "an order of http URLs", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 201, .done = 1,
      .body = "{\"status\":\"pending\",\"authorizations\":["
      "\"http://ca.example/authz/0/0\"]}" } } },
      .fail = ACME_FAIL_ORDER },
    { .name = "an order without an address", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_NEW_ORDER, .nth = 1, .times = 9,
      .status = 201 } } },
      .fail = ACME_FAIL_SERVER },
    { .name = "a validation without end", .names = "a.example",
      .types = { HTTP },
      .is = { .slow_authz = 9999 },
      .fail = ACME_FAIL_VALIDATION, .sub = "a.example", .least = 300,
      .most = 301 },
    { .name = "a validation by DNS without end", .names = "a.example",
      .types = { DNS },
      .is = { .slow_authz = 9999 },
      .fail = ACME_FAIL_VALIDATION, .least = 900, .most = 901 },
    { .name = "an issuance without end", .names = "a.example",
      .types = { HTTP },
      .is = { .slow_order = 9999 },
      .fail = ACME_FAIL_SERVER, .least = 600, .most = 603 },
    { .name = "a challenge is refused", .names = "a.example b.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CHALLENGE, .nth = 1, .times = 9,
      .status = 403, .type = "unauthorized" } } },
      .fail = ACME_FAIL_ORDER, .type = "unauthorized" },
    { .name = "a challenge nobody hears of", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CHALLENGE, .nth = 1, .times = 99 } } },
      .fail = ACME_FAIL_VALIDATION, .least = 300, .most = 301 },
    { .name = "another certificate", .names = "a.example", .types = { HTTP },
      .is = { .wrong_names = 1 },
      .fail = ACME_FAIL_CERTIFICATE },
    { .name = "a certificate in HTML", .names = "a.example", .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CERTIFICATE, .nth = 1, .times = 9,
      .status = 200, .done = 1, .content_type = "text/html" } } },
      .fail = ACME_FAIL_CERTIFICATE },
    { .name = "a certificate with a key", .names = "a.example",
      .types = { HTTP },
      .is = { .wrong = { { .kind = CA_CERTIFICATE, .nth = 1, .times = 9,
      .status = 200, .done = 1, .body = "-----BEGIN PRIVATE KEY-----\nAAAA\n"
      "-----END PRIVATE KEY-----\n" } } },
      .fail = ACME_FAIL_CERTIFICATE },
    { .name = "a name twice", .names = "a.example A.EXAMPLE",
      .types = { HTTP },
      .fail = ACME_FAIL_CONFIG },
    { .name = "a name that is none", .names = "a..example", .types = { HTTP },
      .fail = ACME_FAIL_CONFIG }
};


static int
order_is(const order_case_t *oc, world_t *w, const acme_order_t *o,
    acme_order_step_e step)
{
    uint64_t               took, most;
    acme_chain_t           chain;
    char                   error[256];
    const acme_problem_t  *p, *sub;

    took = w->now - NOW;
    p = acme_order_problem(o);
    sub = acme_order_subproblem(o, 0);

    most = oc->most * 1000ULL + w->requests * w->latency;

    if (took < oc->least * 1000ULL || (oc->most && took > most)) {
        return 0;
    }

    if (oc->fail == ACME_FAIL_NONE) {
        return step == ACME_ORDER_DONE && w->ca.orders[0].finalized == 1
               && w->ca.orders[0].authz[0].posts <= 1
               && acme_chain_read(w->arena, acme_order_chain(o), w->key, NULL,
                                  (int64_t) w->now / 1000, &chain, error)
                  == TORII_OK
               && torii_str_eqs(chain.root, oc->preferred
                                && strcmp(oc->preferred, "Other Root") == 0
                                ? "Other Root" : "Root")
               && torii_str_starts(acme_order_certificate_url(o),
                                   CA_URL "/certificate/0");
    }

    return step == ACME_ORDER_FAILED && p->fail == oc->fail && p->text[0]
           && !torii_str_has_control(torii_str(p->text))
           && (oc->type == NULL || strcmp(oc->type, p->type) == 0)
           && (oc->sub == NULL || (sub && strcmp(oc->sub, sub->identifier)
                                          == 0))
           && (oc->retry ? p->retry_at >= NOW + oc->retry * 1000
                           && p->retry_at <= w->now + oc->retry * 1000
                         : p->retry_at == 0);
}


static void
test_orders(unsigned latency)
{
    size_t              i;
    world_t             w;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    for (i = 0; i < sizeof(order_cases) / sizeof(order_cases[0]); i++) {
        world_start(&w, &order_cases[i].is);
        w.latency = latency;

        memset(&conf, 0, sizeof(conf));

        conf.replaces = torii_str(order_cases[i].replaces);
        conf.preferred_chain = torii_str(order_cases[i].preferred);

        o = world_order(&w, order_cases[i].names, order_cases[i].types, &conf);
        step = world_drive(&w, o);

        if (!tap_ok(order_is(&order_cases[i], &w, o, step)
                    && w.ca.fault[0] == '\0', "%s%s", order_cases[i].name,
                    latency ? ", slowly" : ""))
        {
            printf("# step %d, %s: %s (%s), %llu ms, %u requests, %s\n", step,
                   acme_fail_name(acme_order_problem(o)->fail),
                   acme_order_problem(o)->text, acme_order_problem(o)->type,
                   (unsigned long long) (w.now - NOW), w.requests,
                   w.ca.fault);
        }

        acme_order_free(o);
        world_stop(&w);
    }
}


/* An order that fails leaves nothing pending. */

static void
test_cleaning(void)
{
    world_t             w;
    acme_order_t       *o;
    acme_order_conf_t   conf;

    static const uint8_t    types[] = { HTTP, 0, 0, 0 };
    static const ca_ways_t  failing = { .failing = "b.example",
                                        .slow_authz = 2 };
    static const ca_ways_t  slow = { .slow_authz = 99999 };

    world_start(&w, &failing);
    memset(&conf, 0, sizeof(conf));

    o = world_order(&w, "a.example b.example c.example", types, &conf);
    (void) world_drive(&w, o);

    tap_ok(strcmp(w.ca.orders[0].authz[0].status, "valid") == 0
           && strcmp(w.ca.orders[0].authz[1].status, "invalid") == 0
           && strcmp(w.ca.orders[0].authz[2].status, "valid") == 0
           && acme_order_subproblem(o, 1) == NULL,
           "the others of an order are heard to the end");

    acme_order_free(o);
    world_stop(&w);

    world_start(&w, &slow);
    o = world_order(&w, "a.example b.example", types, &conf);
    (void) world_drive(&w, o);

    tap_ok(strcmp(w.ca.orders[0].authz[0].status, "deactivated") == 0
           && strcmp(w.ca.orders[0].authz[1].status, "deactivated") == 0
           && acme_order_subproblem(o, 1) != NULL && w.ca.fault[0] == '\0',
           "what is pending is deactivated");

    acme_order_free(o);
    world_stop(&w);
}


static void
test_poke(void)
{
    world_t             w;
    acme_order_t       *o;
    acme_order_conf_t   conf;

    static const uint8_t    types[] = { HTTP, 0, 0, 0 };
    static const ca_ways_t  slow = { .slow_authz = 100 };

    world_start(&w, NULL);
    memset(&conf, 0, sizeof(conf));

    w.poke = 1;
    o = world_order(&w, "a.example", types, &conf);

    tap_ok(world_drive(&w, o) == ACME_ORDER_DONE && w.now - NOW <= 1000,
           "the validator was seen: no wait but for the certificate");

    acme_order_free(o);
    world_stop(&w);

    world_start(&w, &slow);

    w.poke = 1;
    o = world_order(&w, "a.example", types, &conf);
    (void) world_drive(&w, o);

    tap_ok(w.ca.fault[0] == '\0' && w.ca.counts[CA_AUTHZ] < 60,
           "who pokes without end has little to say");

    acme_order_free(o);
    world_stop(&w);
}


/* Several at once, answers in any order, one of them given up half-way. */

static void
test_many(void)
{
    char                name[32];
    world_t             w;
    unsigned            i, n, done, idle;
    uint32_t            nchallenges;
    acme_order_t       *o[20];
    acme_order_conf_t   conf;

    const acme_challenge_t  *challenges;

    static const uint8_t    types[] = { DNS, 0, 0, 0 };
    static const ca_ways_t  is = { .bad_nonces = 10, .slow_order = 1 };

    world_start(&w, &is);
    memset(&conf, 0, sizeof(conf));

    w.latency = 300;
    n = sizeof(o) / sizeof(o[0]);

    for (i = 0; i < n; i++) {
        (void) snprintf(name, sizeof(name), "a%u.example", i);
        o[i] = world_order(&w, name, types, &conf);
    }

    for (i = 0, done = 0, idle = 0; idle < n && done < n; i = (i + 1) % n) {

        if (o[i] == NULL) {
            continue;
        }

        if (acme_order_step(o[i]) == ACME_ORDER_WORKING) {
            idle = world_step(&w, NOW + HOUR) ? 0 : idle + 1;
            continue;
        }

        idle = 0;

        if (acme_order_step(o[i]) == ACME_ORDER_FAILED) {
            break;
        }

        if (acme_order_step(o[i]) == ACME_ORDER_DONE
            || (acme_order_step(o[i]) == ACME_ORDER_PRESENT && i == 7))
        {
            acme_order_free(o[i]);
            o[i] = NULL;
            done++;
            continue;
        }

        challenges = acme_order_challenges(o[i], &nchallenges);
        ca_present(&w.ca, challenges, nchallenges);

        acme_order_proceed(o[i], w.now);

        /* the CA of this test sees the answers of one at a time */

        while (acme_order_step(o[i]) == ACME_ORDER_WORKING
               && world_step(&w, NOW + HOUR))
        {
            /* void */
        }
    }

    tap_ok(done == n && w.ca.fault[0] == '\0' && w.ca.naccounts == 1
           && w.ca.counts[CA_DIRECTORY] == 1 && w.ca.counts[CA_NONCE] < 40,
           "%u orders at once, one is given up", n);

    for (i = 0; i < n; i++) {
        acme_order_free(o[i]);
    }

    world_stop(&w);
}


/* What is read once, is read again when it is old, and kept when it is gone. */

static void
test_directory(void)
{
    world_t             w;
    unsigned            i;
    acme_order_t       *o;
    acme_order_conf_t   conf;
    acme_order_step_e   step;

    static const uint8_t  types[] = { HTTP, 0, 0, 0 };

    world_start(&w, NULL);
    memset(&conf, 0, sizeof(conf));

    for (i = 0; i < 4; i++) {
        o = world_order(&w, "a.example", types, &conf);
        step = world_drive(&w, o);

        tap_ok(step == ACME_ORDER_DONE
               && w.ca.counts[CA_DIRECTORY] == (i < 2 ? 1u : i < 3 ? 2u : 6u)
               && w.ca.fault[0] == '\0', "the directory, %s",
               i == 0 ? "read" : i == 1 ? "known"
               : i == 2 ? "old" : "old and gone");

        acme_order_free(o);

        w.now += i ? 2 * HOUR : 0;

        if (i == 2) {
            w.ca.is.wrong[0].kind = CA_DIRECTORY;
            w.ca.is.wrong[0].nth = 3;
            w.ca.is.wrong[0].times = 99;
        }
    }

    world_stop(&w);
}


int
main(void)
{
    test_many();
    test_directory();
    test_orders(0);
    test_orders(400);
    test_cleaning();
    test_poke();

    return tap_done();
}
