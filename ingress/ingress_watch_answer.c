
/*
 * Watching one resource: answers, refusals and the ends of connections.
 */

#include <stdio.h>

#include "ingress_watch_machine.h"


static int ingress_watch_is_json(torii_str_t type);
static void ingress_watch_refused(ingress_watch_t *w, uint64_t now);
static int ingress_watch_misfit(ingress_watch_t *w,
    const ingress_api_status_t *status);
static void ingress_watch_retry(ingress_watch_t *w, uint64_t now,
    ingress_watch_state_e state, const char *why);
static uint32_t ingress_watch_seldom(ingress_watch_t *w);
static void ingress_watch_cut(ingress_watch_t *w, uint64_t now,
    const char *error);
static void ingress_watch_ended(ingress_watch_t *w, uint64_t now,
    const char *error);


int
ingress_watch_head(ingress_watch_t *w, uint64_t now,
    const ingress_api_answer_t *answer)
{
    char  type[64];

    if (w->request == INGRESS_REQUEST_NONE) {
        return TORII_ERROR;
    }

    w->heard = now;

    if (answer->status == 0) {
        ingress_watch_end(w, now, answer->error);
        return TORII_ERROR;
    }

    w->status = answer->status;
    w->retry_after = answer->retry_after;

    if (w->status != 200) {
        return TORII_OK;
    }

    w->retry_after = 0;

    if (!ingress_watch_is_json(answer->content_type)) {
        ingress_api_text(answer->content_type, type, sizeof(type));

        ingress_watch_done(w, now);
        ingress_watch_failed(w, now, "the server answered with \"%s\", JSON "
                             "is expected: is this an API server?", type);

        return TORII_ERROR;
    }

    ingress_split_start(&w->split, w->request == INGRESS_REQUEST_PAGE);

    if (w->request == INGRESS_REQUEST_EVENTS) {
        w->state = INGRESS_WATCH_COMPLETE;
        w->error[0] = '\0';

    } else if (w->token.len == 0) {
        w->listing = 1;
        w->sink.begin(w->sink.data);
    }

    return TORII_OK;
}


static int
ingress_watch_is_json(torii_str_t type)
{
    torii_str_t  name;

    if (!torii_str_next(&type, ";", &name)) {
        return 1;
    }

    name = torii_str_trim(name);

    return name.len == 0 || torii_str_caseeqs(name, "application/json");
}


int
ingress_watch_body(ingress_watch_t *w, uint64_t now, torii_str_t bytes)
{
    int          rc;
    char         what[64];
    torii_str_t  object;

    if (w->request == INGRESS_REQUEST_NONE || w->status == 0) {
        return TORII_ERROR;
    }

    w->heard = now;

    if (w->status != 200) {
        if (bytes.len > INGRESS_WATCH_REFUSAL - w->refusal.len) {
            ingress_watch_refused(w, now);
            return TORII_ERROR;
        }

        torii_buf_add_str(&w->refusal, bytes);

        return TORII_OK;
    }

    for ( ;; ) {
        rc = ingress_split_next(&w->split, &bytes, &object);

        if (rc == TORII_AGAIN) {
            return TORII_OK;
        }

        if (rc != TORII_OK) {
            (void) snprintf(what, sizeof(what), "%s", w->split.error);
            return ingress_watch_malformed(w, now, what);
        }

        rc = w->split.list ? ingress_watch_item(w, now, object)
                           : ingress_watch_event(w, now, object);

        if (rc != TORII_OK) {
            return TORII_ERROR;
        }
    }
}


void
ingress_watch_end(ingress_watch_t *w, uint64_t now, const char *error)
{
    if (w->request == INGRESS_REQUEST_NONE) {
        return;
    }

    if (w->status == 0) {
        ingress_watch_done(w, now);
        ingress_watch_failed(w, now, "no answer: %s", error != NULL ? error
                             : "the connection was closed");
        return;
    }

    if (w->status != 200) {
        ingress_watch_refused(w, now);
        return;
    }

    if (w->request != INGRESS_REQUEST_PAGE) {
        if (w->listing) {
            ingress_watch_cut(w, now, error);

        } else {
            ingress_watch_ended(w, now, error);
        }

        return;
    }

    if (error != NULL) {
        ingress_watch_done(w, now);
        ingress_watch_failed(w, now, "a list broke off: %s", error);
        return;
    }

    ingress_watch_page(w, now);
}


static void
ingress_watch_refused(ingress_watch_t *w, uint64_t now)
{
    int                   misfit;
    char                  why[320];
    torii_str_t           body;
    ingress_request_e     request;
    ingress_api_status_t  status;

    body.data = w->refusal.data;
    body.len = w->refusal.len;

    (void) ingress_api_status_parse(body, &status);
    (void) snprintf(why, sizeof(why), "the server answered %u%s%s",
                    (unsigned) w->status, status.message[0] ? ": " : "",
                    status.message);

    if (w->retry_after == 0) {
        w->retry_after = status.retry_after;
    }

    request = w->request;
    misfit = ingress_watch_misfit(w, &status);

    ingress_watch_done(w, now);

    switch (w->status) {

    case 401:
        ingress_watch_failed(w, now, "%s: the token or certificate of the "
                             "client is missing, expired or revoked", why);
        break;

    case 403:
        ingress_watch_retry(w, now, INGRESS_WATCH_FORBIDDEN, why);
        break;

    case 404:
        ingress_watch_anew(w);
        ingress_watch_retry(w, now, INGRESS_WATCH_ABSENT, why);
        break;

    case 410:
        ingress_watch_expired(w, now, why);
        break;

    default:
        if (misfit && request == INGRESS_REQUEST_STREAM) {
            w->paged = 1;
            break;
        }

        if (misfit) {
            ingress_watch_anew(w);
        }

        ingress_watch_failed(w, now, "%s", why);
    }
}


/*
 * Whether the very request is refused, so that there is no use in sending it
 * again: streaming lists are not known, a version or a token is not valid, or
 * it is from a future that the server does not have (any more).
 */

static int
ingress_watch_misfit(ingress_watch_t *w, const ingress_api_status_t *status)
{
    if (w->status >= 400 && w->status < 500) {
        return w->status != 408 && w->status != 429;
    }

    if (w->status == 501) {
        return w->request == INGRESS_REQUEST_STREAM;
    }

    return w->request == INGRESS_REQUEST_EVENTS
           && strstr(status->message, INGRESS_WATCH_FUTURE) != NULL;
}


/*
 * What was there before may come back any moment: a role that is replaced, a
 * balancer on its way to another server.
 */

static void
ingress_watch_retry(ingress_watch_t *w, uint64_t now,
    ingress_watch_state_e state, const char *why)
{
    uint32_t  wait;

    wait = ingress_backoff_next(&w->backoff, w->retry_after,
                                ingress_watch_random(w));

    if (!w->complete || w->backoff.failures > INGRESS_WATCH_EAGER) {
        wait = INGRESS_WATCH_RETRY
               + ingress_watch_random(w) % (INGRESS_WATCH_RETRY / 4);

        if (w->resource.optional && state == INGRESS_WATCH_ABSENT) {
            wait = ingress_watch_seldom(w);
        }
    }

    w->state = state;
    w->due = now + wait;

    (void) snprintf(w->error, sizeof(w->error), "%s", why);
}


/* It is not there, or, after it was, not any more: so its objects go. */

static uint32_t
ingress_watch_seldom(ingress_watch_t *w)
{
    if (w->complete) {
        w->complete = 0;
        w->seldom = 0;

        w->sink.begin(w->sink.data);
        w->sink.end(w->sink.data);
    }

    w->seldom = w->seldom ? w->seldom * 2 : INGRESS_WATCH_SELDOM;

    if (w->seldom > INGRESS_WATCH_SELDOM_MAX) {
        w->seldom = INGRESS_WATCH_SELDOM_MAX;
    }

    return w->seldom + ingress_watch_random(w) % (w->seldom / 4);
}


/*
 * A streaming list has no middle to go on from.  When it is cut twice, pages
 * may come through; after silence they are what this server understands.
 */

static void
ingress_watch_cut(ingress_watch_t *w, uint64_t now, const char *error)
{
    unsigned  silent;

    silent = error != NULL && now >= w->heard
             && now - w->heard >= INGRESS_WATCH_IDLE_LIST / 4 * 3;

    w->cuts++;
    w->paged = silent || w->cuts >= 2;

    ingress_watch_done(w, now);
    ingress_watch_anew(w);

    if (!silent) {
        ingress_watch_failed(w, now, "a list broke off: %s", error != NULL
                             ? error : "the stream ended before it was whole");
    }
}


/*
 * Streams end: by the time that was agreed on, by restarts of the server, by
 * silence.  That is no trouble, unless the next one ends, too, or fails.
 */

static void
ingress_watch_ended(ingress_watch_t *w, uint64_t now, const char *error)
{
    ingress_watch_done(w, now);

    if (now >= w->started && now - w->started >= INGRESS_WATCH_QUICK) {
        return;
    }

    if (error == NULL) {
        error = "the server closed it";
    }

    if (w->backoff.failures == 0) {
        w->lost = now ? now : 1;
        w->due = now + ingress_backoff_next(&w->backoff, 0,
                                            ingress_watch_random(w));
        return;
    }

    ingress_watch_failed(w, now, "a watch ended at once: %s", error);
}
