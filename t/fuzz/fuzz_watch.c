
/*
 * Any answers of a server, each up to a NUL: a digit for the status, a letter
 * for how it arrives and ends, then the body.  A list ends only after it has
 * begun, nothing waits for ever, and nothing is asked for in a busy loop.
 */

#include <stdlib.h>

#include "ingress_watch.h"


#define FUZZ_ANSWERS  64
#define FUZZ_HASTY    6     /* requests that are no pages, all at once */


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    unsigned  listing;
    unsigned  ends;
} fuzz_sink_t;


static const uint32_t  fuzz_status[] = {
    200, 400, 401, 403, 404, 410, 422, 429, 504, 0
};


static void
fuzz_object(void *data, const torii_node_t *object)
{
    if (torii_node_get(object, "metadata") == NULL) {
        abort();
    }
}


static void
fuzz_begin(void *data)
{
    fuzz_sink_t  *sink = data;

    sink->listing = 1;
}


static void
fuzz_end(void *data)
{
    fuzz_sink_t  *sink = data;

    if (!sink->listing) {
        abort();
    }

    sink->listing = 0;
    sink->ends++;
}


static uint64_t
fuzz_answer(ingress_watch_t *w, uint64_t now, torii_str_t script)
{
    int                    rc;
    size_t                 piece;
    unsigned char          how;
    torii_str_t            bytes;
    ingress_api_answer_t   answer;

    memset(&answer, 0, sizeof(answer));

    answer.status = fuzz_status[script.len ? script.data[0] % 10 : 0];
    how = script.len > 1 ? script.data[1] : 'a';
    answer.retry_after = (how & 8) ? 3 : 0;

    script.data += script.len > 1 ? 2 : script.len;
    script.len -= script.len > 1 ? 2 : script.len;

    piece = (how & 4) ? 1 : 97;

    rc = ingress_watch_head(w, now, &answer);

    while (rc == TORII_OK && script.len) {
        bytes = script;
        bytes.len = script.len < piece ? script.len : piece;
        script.data += bytes.len;
        script.len -= bytes.len;

        rc = ingress_watch_body(w, now, bytes);
    }

    if (rc == TORII_OK) {
        now += (how & 16) ? 20000 : 10;
        ingress_watch_end(w, now, (how & 2) ? "reset" : NULL);
    }

    return now;
}


static uint64_t
fuzz_wait(ingress_watch_t *w, uint64_t now, unsigned *hasty)
{
    uint32_t               wait;
    uint64_t               start;
    ingress_api_request_t  req;

    start = now;

    while (ingress_watch_next(w, now, &req, &wait) != TORII_OK) {
        if (wait == 0 || wait > 400000) {
            abort();
        }

        now += wait;
    }

    if (now - start > 400000 || req.path.data[req.path.len] != '\0'
        || strpbrk((char *) req.path.data, " \r\n\"") != NULL)
    {
        abort();
    }

    *hasty = (now - start < 500) ? *hasty + 1 : 0;

    if (strstr((char *) req.path.data, "&continue=") != NULL) {
        *hasty = 0;
    }

    return now;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned                  i, hasty;
    uint64_t                  now, before;
    torii_str_t               rest, script;
    fuzz_sink_t               sink = { 0, 0 };
    ingress_watch_t          *w;
    ingress_watch_sink_t      table;
    ingress_watch_resource_t  res;

    memset(&res, 0, sizeof(res));
    res.path = torii_str("/api/v1/services");

    table.set = fuzz_object;
    table.remove = fuzz_object;
    table.begin = fuzz_begin;
    table.end = fuzz_end;
    table.data = &sink;

    w = ingress_watch_create(&res, &table, size);
    now = 1;
    hasty = 0;

    rest.data = (unsigned char *) data;
    rest.len = size;

    for (i = 0; i < FUZZ_ANSWERS && rest.len; i++) {
        script = rest;
        script.len = strnlen((char *) rest.data, rest.len);

        rest.data += script.len;
        rest.len -= script.len;

        if (rest.len) {
            rest.data++;
            rest.len--;
        }

        now = fuzz_wait(w, now, &hasty);
        before = now;
        now = fuzz_answer(w, now, script);

        hasty = (now - before > 5000) ? 0 : hasty;

        if (hasty > FUZZ_HASTY
            || (ingress_watch_state(w) == INGRESS_WATCH_COMPLETE
                && sink.ends == 0)
            || ingress_watch_error(w)[0] == '\n')
        {
            abort();
        }
    }

    ingress_watch_free(w);

    return 0;
}
