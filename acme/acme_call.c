
/*
 * The queue of calls: what waits, and for what; which one goes next.
 */

#include <stdlib.h>

#include "acme_client_machine.h"


static void acme_call_append(acme_client_t *c, acme_call_t *call);
static acme_call_t *acme_call_pick(acme_client_t *c, uint64_t now,
    uint32_t *wait);
static uint32_t acme_call_due(const acme_client_t *c, const acme_call_t *call,
    uint64_t now);
static unsigned acme_call_missing(acme_client_t *c, const acme_call_t *call,
    uint64_t now);
static void acme_client_need(acme_client_t *c, uint64_t now, unsigned missing);


static void
acme_call_append(acme_client_t *c, acme_call_t *call)
{
    *c->last_call = call;
    c->last_call = &call->next;
}


void
acme_call_detach(acme_client_t *c, acme_call_t *call)
{
    acme_call_t  **p;

    for (p = &c->calls; *p != call; p = &(*p)->next) { /* void */ }

    *p = call->next;

    if (c->last_call == &call->next) {
        c->last_call = p;
    }

    if (call->id) {
        c->in_flight--;
    }
}


void
acme_call_free(acme_call_t *call)
{
    EVP_PKEY_free(call->key);
    torii_buf_free(&call->url);
    torii_buf_free(&call->payload);
    free(call);
}


acme_call_t *
acme_call_get(acme_client_t *c, acme_url_e where, uint64_t due,
    acme_call_pt handler, void *data)
{
    acme_call_t  *call;

    call = torii_zalloc(sizeof(acme_call_t));

    call->where = where;
    call->method = (where == ACME_URL_NEW_NONCE) ? "HEAD" : "GET";
    call->needs = (where == ACME_URL_DIRECTORY) ? 0 : ACME_NEED_DIRECTORY;
    call->timeout = ACME_TIMEOUT;
    call->due = due;
    call->handler = handler;
    call->data = data;

    acme_call_append(c, call);

    return call;
}


acme_call_t *
acme_call_post(acme_client_t *c, acme_url_e where, EVP_PKEY *key,
    uint64_t due, acme_call_pt handler, void *data)
{
    acme_call_t  *call;

    call = acme_call_get(c, where, due, handler, data);

    call->method = "POST";
    call->needs = ACME_NEED_DIRECTORY|ACME_NEED_NONCE;

    if (key == NULL) {
        call->needs |= ACME_NEED_ACCOUNT;

    } else {
        EVP_PKEY_up_ref(key);
        call->key = key;
    }

    return call;
}


acme_call_t *
acme_call_post_to(acme_client_t *c, torii_str_t url, uint64_t due,
    acme_call_pt handler, void *data)
{
    acme_call_t  *call;

    call = acme_call_post(c, ACME_URL_GIVEN, NULL, due, handler, data);

    torii_buf_add_str(&call->url, url);

    return call;
}


void
acme_call_cancel(acme_client_t *c, void *data)
{
    acme_call_t  *call, *next;

    for (call = c->calls; call; call = next) {
        next = call->next;

        if (call->data == data) {
            acme_call_detach(c, call);
            acme_call_free(call);
        }
    }
}


int
acme_call_has(const acme_client_t *c, void *data)
{
    const acme_call_t  *call;

    for (call = c->calls; call; call = call->next) {
        if (call->data == data) {
            return 1;
        }
    }

    return 0;
}


int
acme_client_next(acme_client_t *c, uint64_t now, acme_request_t *req,
    uint32_t *wait)
{
    acme_call_t  *call;

    memset(req, 0, sizeof(acme_request_t));

    do {
        call = acme_call_pick(c, now, wait);

        if (call == NULL) {
            return TORII_AGAIN;
        }

    } while (acme_call_send(c, now, call, req) != TORII_OK);

    *wait = 0;

    return TORII_OK;
}


/* What others need is appended to the queue, hence found in the same pass. */

static acme_call_t *
acme_call_pick(acme_client_t *c, uint64_t now, uint32_t *wait)
{
    uint32_t      due;
    unsigned      missing;
    acme_call_t  *call;

    *wait = UINT32_MAX;

    if (c->in_flight >= ACME_IN_FLIGHT) {
        return NULL;
    }

    if (c->state == ACME_CLIENT_FAILED) {
        acme_call_refuse_all(c, now, c->directory ? ACME_NEED_ACCOUNT
                                                  : ACME_NEED_DIRECTORY,
                             &c->problem);

    } else if (c->begun && c->state == ACME_CLIENT_NEW) {
        acme_client_need(c, now,
                         (c->directory ? 0 : ACME_NEED_DIRECTORY)
                         | (c->account.len ? 0 : ACME_NEED_ACCOUNT));
    }

    for (call = c->calls; call; call = call->next) {

        if (call->id) {
            continue;
        }

        due = acme_call_due(c, call, now);

        if (due == 0) {
            missing = acme_call_missing(c, call, now);

            if (missing == 0) {
                return call;
            }

            acme_client_need(c, now, missing);
            continue;
        }

        if (due < *wait) {
            *wait = due;
        }
    }

    return NULL;
}


/* Whoever asks again right after a refusal has to wait for the next one. */

static uint32_t
acme_call_due(const acme_client_t *c, const acme_call_t *call, uint64_t now)
{
    if (call->due > now && call->due - now < ACME_DUE_MAX) {
        return (uint32_t) (call->due - now);
    }

    if (c->state == ACME_CLIENT_FAILED
        && (call->needs & (c->directory ? ACME_NEED_ACCOUNT
                                        : ACME_NEED_DIRECTORY)))
    {
        return ACME_POLL;
    }

    return 0;
}


static unsigned
acme_call_missing(acme_client_t *c, const acme_call_t *call, uint64_t now)
{
    unsigned  have;

    have = 0;

    if (c->directory
        && (call->where >= ACME_URL_LISTED || now < c->directory_at))
    {
        have |= ACME_NEED_DIRECTORY;
    }

    if (c->account.len) {
        have |= ACME_NEED_ACCOUNT;
    }

    if (acme_nonce_have(&c->nonces, now)) {
        have |= ACME_NEED_NONCE;
    }

    return call->needs & ~have;
}


static void
acme_client_need(acme_client_t *c, uint64_t now, unsigned missing)
{
    if (missing & ACME_NEED_DIRECTORY) {
        acme_client_read_directory(c, now);

    } else if (missing & ACME_NEED_ACCOUNT) {
        acme_register_find(c, now);

    } else if (missing & ACME_NEED_NONCE) {
        acme_client_read_nonce(c, now);
    }
}


void
acme_call_refuse(acme_client_t *c, uint64_t now, acme_call_t *call,
    const acme_problem_t *problem)
{
    acme_reply_t  r;

    memset(&r, 0, sizeof(acme_reply_t));

    r.now = now;
    r.problem = problem;
    r.url = torii_str("");
    r.arena = torii_arena_create(256);

    acme_call_detach(c, call);
    call->handler(c, call->data, &r);
    acme_call_free(call);

    torii_arena_destroy(r.arena);
}


/*
 * Each handler may change the queue, hence the search from its head; and it may
 * ask again at once, which must not be refused in the same breath for ever.
 */

void
acme_call_refuse_all(acme_client_t *c, uint64_t now, unsigned need,
    const acme_problem_t *problem)
{
    acme_call_t     *call;
    acme_problem_t   copy;

    copy = *problem;

    for (call = c->calls; call; call = call->next) {
        call->refused = call->id == 0 && call->due <= now
                        && (call->needs & need);
    }

    for (call = c->calls; call; /* void */ ) {

        if (call->refused) {
            acme_call_refuse(c, now, call, &copy);
            call = c->calls;
            continue;
        }

        call = call->next;
    }
}
