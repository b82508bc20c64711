
/*
 * Records of dns-persist-01: whether those that the operator is to make are
 * there.  Where nothing else can show a name, that is asked before there is an
 * order; else when the CA offers it, and another challenge is answered where
 * there is no record.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_engine.h"
#include "acme_persist.h"


#define ACME_LOOK_FIRST  (5 * ACME_SECOND)     /* doubled up to … */
#define ACME_LOOK_MAX    (8 * ACME_MINUTE)
#define ACME_LOOK_TEXT   420                   /* bytes of records told */


static int acme_look_needs(const acme_entry_t *e,
    const acme_want_name_t *name);
static torii_str_t acme_look_domains(const acme_account_t *a, int *offered);
static void acme_look_begin(acme_entry_t *e);
static uint32_t acme_look_record(acme_entry_t *e, torii_str_t identifier);
static void acme_look_ask(acme_entry_t *e, acme_phase_e phase);
static int acme_look_judge(const acme_entry_t *e, const acme_found_t *found,
    int wildcard, char why[256]);
static void acme_look_probed(acme_entry_t *e, const acme_found_t *found);
static int acme_look_wildcard(acme_entry_t *e, uint32_t record);
static void acme_look_found(acme_entry_t *e, const acme_found_t *found);


/* There is no other way for this name. */

static int
acme_look_needs(const acme_entry_t *e, const acme_want_name_t *name)
{
    uint8_t  types[ACME_CHALLENGE_MAX];

    return acme_proof_types(e, name, types) == 1
           && types[0] - 1 == ACME_CHALLENGE_DNS_PERSIST;
}


/*
 * Whether a CA offers it is known from authorizations alone: unless the
 * operator asks for it, its first order tells.
 */

int
acme_look_first(acme_entry_t *e)
{
    int              offered, asked, needed;
    uint32_t         i;
    torii_str_t      domains;
    acme_account_t  *a;

    a = e->account;
    asked = 1;
    needed = 0;

    for (i = 0; i < e->want.n; i++) {
        if (acme_look_needs(e, &e->want.names[i])) {
            needed = 1;
            asked &= e->want.names[i].asked;
        }
    }

    if (!needed) {
        return TORII_OK;
    }

    if (acme_client_state(a->client) != ACME_CLIENT_READY) {
        e->phase = ACME_PHASE_ACCOUNT;
        acme_client_begin(a->client);
        acme_engine_touch(a);
        return TORII_AGAIN;
    }

    domains = acme_look_domains(a, &offered);

    if (domains.len == 0 || !(offered || asked)) {
        return TORII_OK;
    }

    acme_look_begin(e);

    for (i = 0; i < e->want.n; i++) {
        if (acme_look_needs(e, &e->want.names[i])) {
            (void) acme_look_record(e, e->want.names[i].name);
        }
    }

    acme_look_ask(e, ACME_PHASE_PROBE);

    return TORII_AGAIN;
}


void
acme_look_account(acme_entry_t *e)
{
    switch (acme_client_state(e->account->client)) {

    case ACME_CLIENT_READY:
        e->phase = ACME_PHASE_PROBE;

        if (acme_look_first(e) == TORII_OK) {
            acme_issue_probed(e);
        }

        break;

    case ACME_CLIENT_FAILED:
        acme_issue_failed(e, acme_client_problem(e->account->client));
        break;

    default:
        break;
    }
}


void
acme_look_order(acme_entry_t *e)
{
    uint32_t                 i, n;
    const acme_challenge_t  *c;

    c = acme_order_challenges(e->order, &n);

    acme_look_begin(e);

    for (i = 0; i < n; i++) {
        if (c[i].type == ACME_CHALLENGE_DNS_PERSIST) {
            (void) acme_look_record(e, c[i].identifier);
        }
    }

    acme_look_ask(e, ACME_PHASE_LOOK);
}


static torii_str_t
acme_look_domains(const acme_account_t *a, int *offered)
{
    torii_str_t  domains;

    domains = acme_client_domains(a->client, offered);

    if (!*offered && a->domains.len) {
        *offered = 1;
        return a->domains;
    }

    return domains;
}


void
acme_look_learn(acme_account_t *a)
{
    int          offered;
    torii_str_t  domains;

    domains = acme_client_domains(a->client, &offered);

    if (offered && !torii_str_eq(domains, a->domains)) {
        acme_keep(&a->domains, domains);
        acme_account_save(a);
    }
}


static void
acme_look_begin(acme_entry_t *e)
{
    acme_look_free(e);

    e->looking = torii_arena_create(1024);
    e->records = torii_arena_alloc(e->looking,
                                   (2 * e->want.n + 1) * sizeof(torii_str_t));
}


void
acme_look_free(acme_entry_t *e)
{
    torii_arena_destroy(e->looking);

    e->looking = NULL;
    e->records = NULL;
    e->nrecords = 0;
}


/* Its index; a name and its wildcard have one. */

static uint32_t
acme_look_record(acme_entry_t *e, torii_str_t identifier)
{
    uint32_t     i;
    torii_str_t  record;

    if (torii_str_starts(identifier, "*.")) {
        identifier.data += 2;
        identifier.len -= 2;
    }

    record = acme_persist_record(e->looking, identifier);

    for (i = 0; i < e->nrecords; i++) {
        if (torii_str_eq(e->records[i], record)) {
            return i;
        }
    }

    e->records[i] = record;
    e->nrecords++;

    return i;
}


static void
acme_look_ask(acme_entry_t *e, acme_phase_e phase)
{
    e->phase = phase;

    acme_job_queue(e->acme, &e->look, 1);
}


void
acme_looked(acme_t *acme, uint64_t now, uint32_t ticket,
    const acme_found_t *found)
{
    acme_job_t    *job;
    acme_entry_t  *e;

    acme_clock(acme, now);

    job = acme_job_take(acme, ticket);

    if (job == NULL || job->what != ACME_DO_LOOK) {
        return;
    }

    e = job->entry;

    if (e->phase == ACME_PHASE_PROBE) {
        acme_look_probed(e, found);

    } else if (e->phase == ACME_PHASE_LOOK) {
        acme_look_found(e, found);
    }
}


/* 1: one of the values will do. */

static int
acme_look_judge(const acme_entry_t *e, const acme_found_t *found,
    int wildcard, char why[256])
{
    int             offered;
    uint32_t        i;
    acme_persist_t  p;
    acme_persist_e  one, best;

    p.domains = acme_look_domains(e->account, &offered);
    p.account = acme_client_account(e->account->client);
    p.wildcard = wildcard;
    p.now = acme_plan_wall(e);

    best = ACME_PERSIST_NONE;

    for (i = 0; i < found->n; i++) {
        one = acme_persist_judge(&p, found->values[i]);
        best = one < best ? one : best;
    }

    if (best == ACME_PERSIST_NONE && found->error != NULL) {
        (void) snprintf(why, 256, "it cannot be looked up: %s", found->error);

    } else {
        (void) snprintf(why, 256, "%s", acme_persist_words(best));
    }

    return best == ACME_PERSIST_OK;
}


/* Before the order: all that is missing is said at once, ready to be copied. */

static void
acme_look_probed(acme_entry_t *e, const acme_found_t *found)
{
    int          wildcard, offered;
    char         why[256], text[512];
    uint32_t     i, left;
    torii_buf_t  b = { NULL, 0, 0 };
    torii_str_t  value, domains;

    domains = acme_look_domains(e->account, &offered);
    left = 0;

    for (i = 0; i < e->nrecords; i++) {
        wildcard = acme_look_wildcard(e, i);

        if (acme_look_judge(e, &found[i], wildcard, why)) {
            continue;
        }

        if (b.len > ACME_LOOK_TEXT) {
            left++;
            continue;
        }

        value = acme_persist_value(e->looking, domains,
                                   acme_client_account(e->account->client),
                                   wildcard);

        torii_buf_printf(&b, "%s%.*s. TXT \"%.*s\" (%s)",
                         b.len ? "; " : "to be created: ",
                         torii_str_arg(e->records[i]), torii_str_arg(value),
                         why);
    }

    if (b.len == 0) {
        acme_look_free(e);
        acme_issue_probed(e);
        return;
    }

    (void) snprintf(text, sizeof(text), "%.*s", (int) b.len, (char *) b.data);
    torii_buf_free(&b);

    if (left) {
        acme_issue_refused(e, ACME_FAIL_RECORD, "%s; and %u more", text, left);

    } else {
        acme_issue_refused(e, ACME_FAIL_RECORD, "%s", text);
    }
}


static int
acme_look_wildcard(acme_entry_t *e, uint32_t record)
{
    uint32_t           i;
    acme_want_name_t  *name;

    for (i = 0; i < e->want.n; i++) {
        name = &e->want.names[i];

        if (torii_str_starts(name->name, "*.") && acme_look_needs(e, name)
            && acme_look_record(e, name->name) == record)
        {
            return 1;
        }
    }

    return 0;
}


static void
acme_look_found(acme_entry_t *e, const acme_found_t *found)
{
    char                     why[256];
    uint32_t                 i, n;
    const acme_challenge_t  *c;

    c = acme_order_challenges(e->order, &n);

    for (i = 0; i < n; i++) {
        if (c[i].type == ACME_CHALLENGE_DNS_PERSIST
            && !acme_look_judge(e, &found[acme_look_record(e,
                                                           c[i].identifier)],
                                c[i].wildcard, why))
        {
            acme_order_missing(e->order, i, why);
        }
    }

    acme_look_free(e);

    e->phase = ACME_PHASE_ORDER;
    acme_order_proceed(e->order, e->acme->now);
    acme_engine_touch(e->account);
}


uint64_t
acme_look_backoff(acme_entry_t *e)
{
    uint32_t  n;
    uint64_t  t;

    n = e->looks ? e->looks - 1 : 0;
    t = ACME_LOOK_FIRST << (n < 7 ? n : 7);
    t = t < ACME_LOOK_MAX ? t : ACME_LOOK_MAX;

    return t / 5 * 4 + acme_engine_spread(e->acme, t / 5 * 2);
}
