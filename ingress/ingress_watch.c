
/*
 * Watching one resource: which request is next, and when.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingress_watch_machine.h"


#define INGRESS_WATCH_ARENA  512

#define INGRESS_ACCEPT_LIST                                                   \
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"       \
    "application/json"
#define INGRESS_ACCEPT_WATCH                                                  \
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"           \
    "application/json"


static torii_str_t ingress_watch_encode(torii_arena_t *a, torii_str_t s);
static void ingress_watch_add_encoded(torii_buf_t *b, torii_str_t s);
static void ingress_watch_add_buf(torii_buf_t *b, const torii_buf_t *s);
static void ingress_watch_stream(ingress_watch_t *w,
    ingress_api_request_t *req);
static void ingress_watch_list(ingress_watch_t *w,
    ingress_api_request_t *req);


ingress_watch_t *
ingress_watch_create(const ingress_watch_resource_t *res,
    const ingress_watch_sink_t *sink, uint64_t seed)
{
    ingress_watch_t  *w;

    w = torii_zalloc(sizeof(ingress_watch_t));

    w->arena = torii_arena_create(INGRESS_WATCH_ARENA);
    w->resource = *res;
    w->resource.path = torii_arena_str(w->arena, res->path);
    w->resource.fields = ingress_watch_encode(w->arena, res->fields);
    w->sink = *sink;
    w->limit = INGRESS_WATCH_LIMIT;

    /* of one seed, each watch gets a jitter of its own */

    w->random = torii_hash(res->path.data, res->path.len, seed);

    return w;
}


void
ingress_watch_free(ingress_watch_t *w)
{
    if (w == NULL) {
        return;
    }

    ingress_split_free(&w->split);
    torii_buf_free(&w->path);
    torii_buf_free(&w->refusal);
    torii_buf_free(&w->version);
    torii_buf_free(&w->token);
    torii_arena_destroy(w->arena);
    free(w);
}


static torii_str_t
ingress_watch_encode(torii_arena_t *a, torii_str_t s)
{
    torii_buf_t  b = { NULL, 0, 0 };
    torii_str_t  encoded;

    ingress_watch_add_encoded(&b, s);

    encoded.data = b.data;
    encoded.len = b.len;
    encoded = torii_arena_str(a, encoded);

    torii_buf_free(&b);

    return encoded;
}


/* RFC 3986, 2.3: all but the unreserved */

static void
ingress_watch_add_encoded(torii_buf_t *b, torii_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '-' || c == '_' || c == '.' || c == '~')
        {
            torii_buf_add(b, &c, 1);

        } else {
            torii_buf_printf(b, "%%%02X", c);
        }
    }
}


static void
ingress_watch_add_buf(torii_buf_t *b, const torii_buf_t *s)
{
    torii_str_t  str;

    str.data = s->data;
    str.len = s->len;

    ingress_watch_add_encoded(b, str);
}


/* splitmix64: good enough to keep many from doing the same at once */

uint32_t
ingress_watch_random(ingress_watch_t *w)
{
    uint64_t  z;

    w->random += 0x9e3779b97f4a7c15ULL;

    z = w->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

    return (uint32_t) (z >> 32);
}


int
ingress_watch_next(ingress_watch_t *w, uint64_t now,
    ingress_api_request_t *req, uint32_t *wait)
{
    if (w->request != INGRESS_REQUEST_NONE) {
        *wait = UINT32_MAX;
        return TORII_AGAIN;
    }

    if (w->due > now && w->due - now > INGRESS_WATCH_WAIT_MAX) {
        w->due = now + INGRESS_WATCH_WAIT_MAX;
    }

    if (w->due > now) {
        *wait = (uint32_t) (w->due - now);
        return TORII_AGAIN;
    }

    memset(req, 0, sizeof(ingress_api_request_t));

    w->path.len = 0;
    torii_buf_add_str(&w->path, w->resource.path);

    if (w->version.len == 0 && w->paged) {
        ingress_watch_list(w, req);

    } else {
        ingress_watch_stream(w, req);
    }

    if (w->resource.fields.len) {
        torii_buf_adds(&w->path, "&fieldSelector=");
        torii_buf_add_str(&w->path, w->resource.fields);
    }

    torii_buf_add(&w->path, "", 1);

    req->method = "GET";
    req->path.data = w->path.data;
    req->path.len = w->path.len - 1;

    w->status = 0;
    w->retry_after = 0;
    w->started = now;
    w->heard = now;

    return TORII_OK;
}


void
ingress_watch_hurry(ingress_watch_t *w, uint64_t now)
{
    uint64_t  soon;

    soon = now + ingress_watch_random(w) % INGRESS_WATCH_SOON;

    if (w->request == INGRESS_REQUEST_NONE && w->lost && w->status == 0
        && w->due > soon)
    {
        w->due = soon;
    }
}


static void
ingress_watch_stream(ingress_watch_t *w, ingress_api_request_t *req)
{
    uint32_t  life;

    life = INGRESS_WATCH_LIFE
           + ingress_watch_random(w) % (INGRESS_WATCH_LIFE + 1);

    torii_buf_printf(&w->path, "?watch=1&allowWatchBookmarks=true"
                     "&timeoutSeconds=%u", (unsigned) life);

    if (w->version.len == 0) {
        w->request = INGRESS_REQUEST_STREAM;
        req->idle = INGRESS_WATCH_IDLE_LIST;

        torii_buf_adds(&w->path, "&sendInitialEvents=true"
                       "&resourceVersionMatch=NotOlderThan");

    } else {
        w->request = INGRESS_REQUEST_EVENTS;
        req->idle = INGRESS_WATCH_IDLE;

        torii_buf_adds(&w->path, "&resourceVersion=");
        ingress_watch_add_buf(&w->path, &w->version);
    }

    req->timeout = (life + 60) * 1000;

    if (w->resource.metadata) {
        req->accept = INGRESS_ACCEPT_WATCH;
    }
}


/* Without a resourceVersion: the newest state, not what some cache has. */

static void
ingress_watch_list(ingress_watch_t *w, ingress_api_request_t *req)
{
    w->request = INGRESS_REQUEST_PAGE;

    torii_buf_printf(&w->path, "?limit=%u", (unsigned) w->limit);

    if (w->token.len) {
        torii_buf_adds(&w->path, "&continue=");
        ingress_watch_add_buf(&w->path, &w->token);
    }

    req->idle = INGRESS_WATCH_IDLE_PAGE;
    req->timeout = INGRESS_WATCH_PAGE_MAX;

    if (w->resource.metadata) {
        req->accept = INGRESS_ACCEPT_LIST;
    }
}


void
ingress_watch_done(ingress_watch_t *w, uint64_t now)
{
    if (w->status == 200 && w->request != INGRESS_REQUEST_PAGE
        && now >= w->started && now - w->started >= INGRESS_WATCH_QUICK)
    {
        ingress_backoff_reset(&w->backoff);
    }

    w->request = INGRESS_REQUEST_NONE;
    w->due = now;

    ingress_split_free(&w->split);
    torii_buf_free(&w->refusal);
}


void
ingress_watch_failed(ingress_watch_t *w, uint64_t now, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(w->error, sizeof(w->error), fmt, args);
    va_end(args);

    if (w->backoff.failures == 0 || w->lost == 0) {
        w->lost = now ? now : 1;
    }

    w->state = w->complete ? INGRESS_WATCH_STALE : INGRESS_WATCH_NEVER;

    w->due = now + ingress_backoff_next(&w->backoff, w->retry_after,
                                        ingress_watch_random(w));
}


void
ingress_watch_anew(ingress_watch_t *w)
{
    w->version.len = 0;
    w->token.len = 0;
    w->pages = 0;
    w->listing = 0;
}


void
ingress_watch_expired(ingress_watch_t *w, uint64_t now, const char *why)
{
    unsigned  again;

    /* too slow for pages: the token of the next one has no history, either */

    if (w->token.len) {
        w->limit = 0;
    }

    ingress_watch_anew(w);

    again = w->gone && (now < w->gone || now - w->gone < INGRESS_WATCH_GONE);

    w->gone = now ? now : 1;

    if (again) {
        ingress_watch_failed(w, now, "%s, again; all is listed anew", why);
        return;
    }

    (void) snprintf(w->error, sizeof(w->error), "%s; all is listed anew", why);
}


int
ingress_watch_whole(ingress_watch_t *w, torii_str_t version)
{
    if (version.len == 0 || version.len > INGRESS_WATCH_VERSION) {
        return TORII_ERROR;
    }

    ingress_watch_anew(w);
    torii_buf_add_str(&w->version, version);

    w->state = INGRESS_WATCH_COMPLETE;
    w->complete = 1;
    w->limit = INGRESS_WATCH_LIMIT;
    w->cuts = 0;
    w->bad = 0;
    w->seldom = 0;
    w->error[0] = '\0';

    w->sink.end(w->sink.data);

    return TORII_OK;
}


ingress_watch_state_e
ingress_watch_state(const ingress_watch_t *w)
{
    return w->state;
}


uint64_t
ingress_watch_stale(const ingress_watch_t *w)
{
    return w->state == INGRESS_WATCH_STALE ? w->lost : 0;
}


const char *
ingress_watch_error(const ingress_watch_t *w)
{
    return w->error;
}
