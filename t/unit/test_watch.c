
/*
 * A watch against a scripted server, against what a kube-apiserver 1.36 sent
 * (t/unit/kube), and against that server with its connections cut.
 */

#include <stdlib.h>

#include "ingress_watch.h"
#include "tap.h"


#define STEPS    10
#define OBJECTS  64
#define NORMAL   NULL

#define OBJECT(name, version)                                                 \
    "{\"kind\":\"Ingress\",\"metadata\":{\"name\":\"" name "\","              \
    "\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version)                                            \
    "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define BOOKMARK(version)                                                     \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":"   \
    "\"" version "\"}}}\n"
#define INITIAL_END(version)                                                  \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":"   \
    "\"" version "\",\"annotations\":{\"k8s.io/initial-events-end\":"         \
    "\"true\"}}}}\n"
#define STATUS(code, reason, message)                                         \
    "{\"kind\":\"Status\",\"code\":" #code ",\"reason\":\"" reason "\","      \
    "\"message\":\"" message "\",\"details\":{\"retryAfterSeconds\":7}}"
#define TROUBLE(code, reason, message)                                        \
    "{\"type\":\"ERROR\",\"object\":" STATUS(code, reason, message) "}\n"
#define LIST(version, token, items)                                           \
    "{\"kind\":\"IngressList\",\"metadata\":{\"resourceVersion\":\"" version  \
    "\",\"continue\":\"" token "\"},\"items\":[" items "]}"

#define STREAM  "sendInitialEvents=true"
#define PAGES   "/ingresses?limit=500"
#define FROM    "resourceVersion="

#define LISTED(name, version, end)                                            \
    { STREAM, AT_ONCE, 200, EVENT("ADDED", name, version) INITIAL_END(end),   \
      0, NORMAL }

/* what is allowed to wait before a step, in ms */
#define AT_ONCE  0, 0
#define BACKOFF  800, 30000
#define MINUTE   60000, 75000


typedef struct {
    const char   *asked;      /* a part of the path */
    uint32_t      wait_min;
    uint32_t      wait_max;
    uint32_t      status;     /* 0: no answer */
    const char   *body;
    uint32_t      lasted;     /* ms */
    const char   *end;        /* NORMAL or an error */
} test_step_t;

typedef struct {
    const char             *name;
    const char             *told;     /* of the sink */
    ingress_watch_state_e   state;
    const char             *error;    /* a part of it at the end */
    test_step_t             steps[STEPS];
} test_case_t;


static const test_case_t  test_cases[] = {

    { "a streaming list, then a watch from its bookmark",
      "( a1 b2 ) c4 -a b6 ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 200, EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2")
        INITIAL_END("3") EVENT("ADDED", "c", "4"), 0, NORMAL },
      { FROM "3", AT_ONCE, 200, EVENT("ADDED", "c", "4")
        EVENT("DELETED", "a", "5"), 400000, NORMAL },
      { FROM "5", AT_ONCE, 200, BOOKMARK("5") EVENT("MODIFIED", "b", "6"),
        400000, NORMAL },
      { FROM "6", AT_ONCE, 200, "", 75000, "idle" },
      { FROM "6", AT_ONCE, 200, "", 400000, NORMAL } } },

    { "a server that refuses streaming lists",
      "( a1 b2 ) c4 ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 422, STATUS(422, "Invalid", "sendInitialEvents is "
        "forbidden for watch unless the WatchList feature gate is enabled"),
        1, NORMAL },
      { PAGES, AT_ONCE, 200, LIST("3", "t=1/", OBJECT("a", "1")), 1, NORMAL },
      { PAGES "&continue=t%3D1%2F", AT_ONCE, 200,
        LIST("3", "", OBJECT("b", "2")), 1, NORMAL },
      { FROM "3", AT_ONCE, 200, EVENT("ADDED", "c", "4"), 400000, NORMAL } } },

    { "a server that ignores the wish: an ordinary bookmark",
      "( a1 ( a1 b2 ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 200, EVENT("ADDED", "a", "1") BOOKMARK("2"),
        60000, "idle" },
      { PAGES, AT_ONCE, 200, LIST("2", "", OBJECT("a", "1") ","
        OBJECT("b", "2")), 1, NORMAL },
      { FROM "2", AT_ONCE, 200, "", 400000, NORMAL } } },

    { "a server that ignores the wish: silence",
      "( ( ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 200, "", 15000, "idle" },
      { PAGES, AT_ONCE, 200, LIST("2", "", ""), 1, NORMAL } } },

    { "a streaming list that is cut begins again, then by pages",
      "( a1 ( a1 ( b2 ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 200, EVENT("ADDED", "a", "1"), 100, "reset" },
      { STREAM, BACKOFF, 200, EVENT("ADDED", "a", "1"), 100, NORMAL },
      { PAGES, BACKOFF, 200, LIST("2", "", OBJECT("b", "2")), 1, NORMAL } } },

    { "a page that is cut is asked for again, and nothing ends early",
      "( a1 b2 b2 c3 ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, LIST("3", "t", OBJECT("a", "1")), 1, NORMAL },
      { "&continue=t", AT_ONCE, 200, "{\"kind\":\"IngressList\",\"items\":["
        OBJECT("b", "2"), 1, "reset" },
      { "&continue=t", BACKOFF, 500, "oops", 1, NORMAL },
      { "&continue=t", BACKOFF, 200, LIST("3", "", OBJECT("b", "2") ","
        OBJECT("c", "3")), 1, NORMAL },
      { FROM "3", AT_ONCE, 200, "", 400000, NORMAL } } },

    { "a token that expires: the list begins again, in one piece",
      "( a1 ( a1 ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, LIST("3", "t", OBJECT("a", "1")), 1, NORMAL },
      { "&continue=t", AT_ONCE, 410, STATUS(410, "Expired", "token"),
        1, NORMAL },
      { "?limit=0", AT_ONCE, 200, LIST("9", "", OBJECT("a", "1")),
        1, NORMAL },
      { FROM "9", AT_ONCE, 200, "", 400000, NORMAL } } },

    { "410 as an answer, then as events: listed anew, not in a loop",
      "( a1 ) ( a1 ) ( a9 ) ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 410, STATUS(410, "Expired", "too old"),
        1, NORMAL },
      LISTED("a", "1", "4"),
      { FROM "4", AT_ONCE, 200, TROUBLE(410, "Expired", "too old resource "
        "version: 4 (9)"), 100, NORMAL },
      { STREAM, BACKOFF, 200, EVENT("ADDED", "a", "9") INITIAL_END("9"),
        0, NORMAL } } },

    { "410 as an event after a restart of the server",
      "( a1 ) ( b9 ) ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, TROUBLE(410, "Gone", "gone"), 10, NORMAL },
      LISTED("b", "9", "9") } },

    { "another error as an event is no reason to list",
      "( a1 ) ", INGRESS_WATCH_STALE, "500 InternalError: oops", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, TROUBLE(500, "InternalError", "oops"),
        10, NORMAL },
      { FROM "3", 7000, 8000, 200, TROUBLE(500, "InternalError", "oops"),
        10, NORMAL } } },

    { "a version that the server is behind of",
      "( a9 ) ( a2 ) ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "9", "9"),
      { FROM "9", AT_ONCE, 504, STATUS(504, "Timeout", "Timeout: Too large "
        "resource version: 9, current: 3"), 1, NORMAL },
      { STREAM, 7000, 8000, 200, EVENT("ADDED", "a", "2") INITIAL_END("3"),
        0, NORMAL } } },

    { "versions that go backwards: listed anew",
      "( a90 ) b20 ( b20 ) ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "90", "100"),
      { FROM "100", AT_ONCE, 200, EVENT("ADDED", "b", "20"), 9000, NORMAL },
      LISTED("b", "20", "21") } },

    { "versions that are no numbers are not compared",
      "( azz ) baa ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "zz", "z/z"),
      { FROM "z%2Fz", AT_ONCE, 200, EVENT("ADDED", "b", "aa"), 9000, NORMAL },
      { FROM "aa", AT_ONCE, 200, "", 9000, NORMAL } } },

    { "a removal with the version of the object",
      "( a1 ) -a c10 ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "8"),
      { FROM "8", AT_ONCE, 200, EVENT("DELETED", "a", "1")
        EVENT("ADDED", "c", "10"), 9000, NORMAL },
      { FROM "10", AT_ONCE, 200, "", 9000, NORMAL } } },

    { "a watch that is cut in the middle of an event",
      "( a1 ) b4 c5 ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, EVENT("ADDED", "b", "4") "{\"type\":\"ADD",
        9000, "reset" },
      { FROM "4", AT_ONCE, 200, EVENT("ADDED", "c", "5"), 9000, NORMAL } } },

    { "bytes that are no event: again, and then all of it",
      "( a1 ) b4 ( a1 b4 c5 ) ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, EVENT("ADDED", "b", "4") "garbage\n",
        100, NORMAL },
      { FROM "4", BACKOFF, 200, "{\"type\":\"ADDED\",\n" EVENT("ADDED", "c",
        "5"), 100, NORMAL },
      { STREAM, BACKOFF, 200, EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "4")
        EVENT("ADDED", "c", "5") INITIAL_END("5"), 0, NORMAL } } },

    { "JSON that is wrong inside, named without its content",
      "( a1 ) ", INGRESS_WATCH_STALE, "an event is no JSON, line 1", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, "{\"type\":secret}\n", 100, NORMAL } } },

    { "events of types and fields that nobody knows",
      "( a1 ) b4 ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, "\n\n{\"type\":\"FROBBED\",\"object\":{}}\n"
        "{\"x\":[1,{}],\"type\":\"ADDED\",\"object\":" OBJECT("b", "4") "}",
        9000, NORMAL },
      { FROM "4", AT_ONCE, 200, "", 9000, NORMAL } } },

    { "an event about nothing",
      "( a1 ) ", INGRESS_WATCH_STALE, "an event is about an object without", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, "{\"type\":\"ADDED\",\"object\":{}}\n",
        100, NORMAL } } },

    { "200 with a page for people",
      "( a1 ) ", INGRESS_WATCH_STALE, "is this an API server?", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 200, "<html>", 100, "text/html" },
      { FROM "3", BACKOFF, 200, "<html>", 100, "text/html" } } },

    { "200 with some JSON is not the end of all objects",
      "( ( ( ", INGRESS_WATCH_NEVER, "a list is no list of Kubernetes", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, "{\"status\":\"ok\"}", 1, NORMAL },
      { PAGES, BACKOFF, 200, "{\"kind\":\"List\",\"items\":[]}", 1, NORMAL },
      { PAGES, BACKOFF, 200, STATUS(200, "", ""), 1, NORMAL } } },

    { "a list that ends in the middle, in good order",
      "( a1 ", INGRESS_WATCH_NEVER, "a list ended in the middle", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, "{\"kind\":\"IngressList\",\"metadata\":{"
        "\"resourceVersion\":\"1\"},\"items\":[" OBJECT("a", "1"),
        1, NORMAL } } },

    { "forbidden, and then not any more",
      "( ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 403, STATUS(403, "Forbidden", "cannot list"),
        1, NORMAL },
      { STREAM, MINUTE, 403, "", 1, NORMAL },
      { STREAM, MINUTE, 200, INITIAL_END("3"),
        0, NORMAL } } },

    { "forbidden",
      "", INGRESS_WATCH_FORBIDDEN, "the server answered 403: cannot list", {
      { STREAM, AT_ONCE, 403, STATUS(403, "Forbidden", "cannot list"),
        1, NORMAL } } },

    { "forbidden after it was complete: tried earlier at first",
      "( a1 ) ", INGRESS_WATCH_FORBIDDEN, "answered 403", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 403, "", 1, NORMAL },
      { FROM "3", BACKOFF, 403, "", 1, NORMAL } } },

    { "no such resource",
      "", INGRESS_WATCH_ABSENT, "answered 404", {
      { STREAM, AT_ONCE, 404, "404 page not found", 1, NORMAL },
      { STREAM, MINUTE, 404, "404 page not found", 1, NORMAL } } },

    { "a token that is revoked, and renewed",
      "( a1 ) b4 ", INGRESS_WATCH_COMPLETE, "", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 401, "", 1, NORMAL },
      { FROM "3", BACKOFF, 401, "", 1, NORMAL },
      { FROM "3", BACKOFF, 200, EVENT("ADDED", "b", "4"), 9000, NORMAL } } },

    { "500s for minutes",
      "( a1 ) ", INGRESS_WATCH_STALE, "the server answered 500: oops", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 500, "", 1, NORMAL },
      { FROM "3", 800, 1200, 500, "", 1, NORMAL },
      { FROM "3", 1600, 2400, 500, "", 1, NORMAL },
      { FROM "3", 3200, 4800, 502, "<html>", 1, NORMAL },
      { FROM "3", 6400, 9600, 500, "", 1, NORMAL },
      { FROM "3", 12800, 19200, 500, "", 1, NORMAL },
      { FROM "3", 20000, 30000, 500, "", 1, NORMAL },
      { FROM "3", 20000, 30000, 500, STATUS(500, "", "oops"), 1, NORMAL } } },

    { "Retry-After of 42 s in the head",
      "", INGRESS_WATCH_NEVER, "answered 429", {
      { STREAM, AT_ONCE, 429, "", 1, "Retry-After" },
      { STREAM, 42000, 48000, 429, "", 1, "Retry-After" } } },

    { "Retry-After in the Status alone",
      "", INGRESS_WATCH_NEVER, "answered 429: storage", {
      { STREAM, AT_ONCE, 429, STATUS(429, "TooManyRequests", "storage"),
        1, NORMAL },
      { STREAM, 7000, 8000, 429, STATUS(429, "TooManyRequests", "storage"),
        1, NORMAL } } },

    { "nobody there",
      "( a1 ) ", INGRESS_WATCH_STALE, "no answer: connection refused", {
      LISTED("a", "1", "3"),
      { FROM "3", AT_ONCE, 0, "", 1, "connection refused" },
      { FROM "3", BACKOFF, 0, "", 1, "connection refused" } } },

    { "watches that end at once",
      "( ) ", INGRESS_WATCH_STALE, "a watch ended at once: reset", {
      { STREAM, AT_ONCE, 200, INITIAL_END("3"),
        0, NORMAL },
      { FROM "3", AT_ONCE, 200, "", 10, NORMAL },
      { FROM "3", 800, 1200, 200, "", 10, NORMAL },
      { FROM "3", 1600, 2400, 200, "", 10, "reset" } } },

    { "a version and a token that are refused",
      "( ) ( ( a1 ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, LIST("x", "", ""), 1, NORMAL },
      { FROM "x", AT_ONCE, 400, STATUS(400, "BadRequest", "invalid"),
        1, NORMAL },
      { PAGES, 7000, 8000, 200, LIST("x", "t", ""), 1, NORMAL },
      { "&continue=t", AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, BACKOFF, 200, LIST("7", "", OBJECT("a", "1")), 1, NORMAL } } },

    { "a list on many lines, its items last or first, or none",
      "( a1 ) ( b2 ) ( ) ", INGRESS_WATCH_COMPLETE, "", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, "{\n \"kind\": \"IngressList\","
        "\"y\": \"items\", \"x\": [ {\"items\": "
        "[1] } ],\n \"items\": [\n  {\n \"metadata\": { \"name\": \"a\",\n "
        "\"resourceVersion\": \"1\" }, \"s\": \"]}\\\"\" } ],\n"
        " \"kind2\": 1, \"metadata\": { \"resourceVersion\": \"5\" } }\n",
        1, NORMAL },
      { FROM "5", AT_ONCE, 410, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, "{\"items\":[" OBJECT("b", "2") "],\"kind\":"
        "\"IngressList\",\"metadata\":{\"resourceVersion\":\"6\"}}",
        1, NORMAL },
      { FROM "6", AT_ONCE, 410, "", 1, NORMAL },
      { PAGES, BACKOFF, 200, "{\"kind\":\"IngressList\",\"items\":null,"
        "\"metadata\":{\"resourceVersion\":\"7\"}}", 1, NORMAL } } },

    { "items that are no objects",
      "( ( ", INGRESS_WATCH_NEVER, "has items that are no objects", {
      { STREAM, AT_ONCE, 400, "", 1, NORMAL },
      { PAGES, AT_ONCE, 200, LIST("1", "t", ""), 1, NORMAL },
      { "&continue=t", AT_ONCE, 200, LIST("1", "", "1"), 1, NORMAL },
      { PAGES, BACKOFF, 200, LIST("1", "", "1"), 1, NORMAL } } }
};


/* What the sink was told, and what it has. */

typedef struct {
    torii_buf_t   told;
    char          names[OBJECTS][16];
    unsigned      listed[OBJECTS];
    unsigned      n;
    unsigned      lost;       /* one of test_kept was taken away */
} test_sink_t;


/* Of the recordings: what is there from the begin to the end. */

static const char *const  test_kept[] = { "three", "two", "web" };


static torii_str_t
test_field(const torii_node_t *object, const char *key)
{
    torii_node_t  *node;

    node = torii_node_get(torii_node_get(object, "metadata"), key);

    return node != NULL ? node->text : torii_str("");
}


static unsigned
test_find(test_sink_t *sink, torii_str_t name)
{
    unsigned  i;

    for (i = 0; i < sink->n; i++) {
        if (torii_str_eqs(name, sink->names[i])) {
            break;
        }
    }

    return i;
}


static void
test_set(void *data, const torii_node_t *object)
{
    unsigned      i;
    test_sink_t  *sink = data;
    torii_str_t   name, version;

    name = test_field(object, "name");
    version = test_field(object, "resourceVersion");

    torii_buf_printf(&sink->told, "%.*s%.*s ", torii_str_arg(name),
                     torii_str_arg(version));

    i = test_find(sink, name);

    if (i == sink->n && i < OBJECTS) {
        (void) snprintf(sink->names[i], sizeof(sink->names[i]), "%.*s",
                        torii_str_arg(name));
        sink->n++;
    }

    sink->listed[i] = 1;
}


static void
test_keep(test_sink_t *sink)
{
    for (sink->n = 0; sink->n < 3; sink->n++) {
        (void) snprintf(sink->names[sink->n], sizeof(sink->names[0]), "%s",
                        test_kept[sink->n]);
    }
}


static void
test_remove_at(test_sink_t *sink, unsigned i)
{
    unsigned  k;

    for (k = 0; k < 3; k++) {
        sink->lost |= strcmp(sink->names[i], test_kept[k]) == 0;
    }

    sink->n--;
    memcpy(sink->names[i], sink->names[sink->n], sizeof(sink->names[i]));
    sink->listed[i] = sink->listed[sink->n];
}


static void
test_remove(void *data, const torii_node_t *object)
{
    unsigned      i;
    test_sink_t  *sink = data;
    torii_str_t   name;

    name = test_field(object, "name");
    torii_buf_printf(&sink->told, "-%.*s ", torii_str_arg(name));

    i = test_find(sink, name);

    if (i < sink->n) {
        test_remove_at(sink, i);
    }
}


static void
test_begin(void *data)
{
    test_sink_t  *sink = data;

    torii_buf_adds(&sink->told, "( ");
    memset(sink->listed, 0, sizeof(sink->listed));
}


static void
test_end(void *data)
{
    unsigned      i;
    test_sink_t  *sink = data;

    torii_buf_adds(&sink->told, ") ");

    for (i = sink->n; i-- > 0; /* void */) {
        if (!sink->listed[i]) {
            test_remove_at(sink, i);
        }
    }
}


static ingress_watch_t *
test_watch(test_sink_t *sink, uint64_t seed)
{
    ingress_watch_sink_t      table;
    ingress_watch_resource_t  res;

    memset(sink, 0, sizeof(test_sink_t));
    memset(&res, 0, sizeof(res));

    res.path = torii_str("/apis/networking.k8s.io/v1/ingresses");

    table.set = test_set;
    table.remove = test_remove;
    table.begin = test_begin;
    table.end = test_end;
    table.data = sink;

    return ingress_watch_create(&res, &table, seed);
}


/* The body in pieces, each in memory of its own size. */

static int
test_send(ingress_watch_t *w, uint64_t now, torii_str_t body, size_t piece)
{
    int          rc;
    torii_str_t  bytes;

    while (body.len) {
        bytes.len = body.len < piece ? body.len : piece;
        bytes.data = torii_malloc(bytes.len);
        memcpy(bytes.data, body.data, bytes.len);

        body.data += bytes.len;
        body.len -= bytes.len;

        rc = ingress_watch_body(w, now, bytes);
        free(bytes.data);

        if (rc != TORII_OK) {
            return rc;
        }
    }

    return TORII_OK;
}


static void
test_answer(ingress_watch_t *w, uint64_t *now, const test_step_t *step,
    size_t piece)
{
    const char            *end;
    ingress_api_answer_t   answer;

    memset(&answer, 0, sizeof(answer));

    end = step->end;

    answer.status = step->status;
    answer.content_type = torii_str("application/json; charset=utf-8");

    if (end != NULL && strcmp(end, "text/html") == 0) {
        answer.content_type = torii_str(end);
    }

    if (end != NULL && strcmp(end, "Retry-After") == 0) {
        answer.retry_after = 42;
        end = NORMAL;
    }

    if (step->status == 0
        || (ingress_watch_head(w, *now, &answer) == TORII_OK
            && test_send(w, *now, torii_str(step->body), piece) == TORII_OK))
    {
        *now += step->lasted;
        ingress_watch_end(w, *now, end);
    }
}


static int
test_step(ingress_watch_t *w, uint64_t *now, const test_step_t *step,
    size_t piece)
{
    uint32_t               wait, waited;
    ingress_api_request_t  req;

    waited = 0;

    while (ingress_watch_next(w, *now, &req, &wait) != TORII_OK) {
        if (wait == 0 || wait > 400000) {
            printf("# waits %u\n", (unsigned) wait);
            return 0;
        }

        *now += wait;
        waited += wait;
    }

    if (strstr((char *) req.path.data, step->asked) == NULL
        || req.path.data[req.path.len] != '\0' || req.idle == 0
        || req.timeout == 0
        || ingress_watch_next(w, *now, &req, &wait) != TORII_AGAIN
        || wait != UINT32_MAX)
    {
        printf("# asked: %s, not %s\n", (char *) req.path.data, step->asked);
        return 0;
    }

    if (waited < step->wait_min || waited > step->wait_max) {
        printf("# waited %u before %s\n", (unsigned) waited, step->asked);
        return 0;
    }

    test_answer(w, now, step, piece);

    return 1;
}


static void
test_script(const test_case_t *t, size_t piece)
{
    int               ok;
    unsigned          i;
    uint64_t          now;
    test_sink_t       sink;
    ingress_watch_t  *w;

    w = test_watch(&sink, piece);
    now = 1000;
    ok = 1;

    for (i = 0; ok && i < STEPS && t->steps[i].asked != NULL; i++) {
        ok = test_step(w, &now, &t->steps[i], piece);
    }

    torii_buf_add(&sink.told, "", 1);

    ok = ok && strcmp((char *) sink.told.data, t->told) == 0
         && ingress_watch_state(w) == t->state
         && (t->error[0] == '\0' ? ingress_watch_error(w)[0] == '\0'
             : strstr(ingress_watch_error(w), t->error) != NULL)
         && (ingress_watch_stale(w) != 0) == (t->state == INGRESS_WATCH_STALE)
         && strstr(ingress_watch_error(w), "secret") == NULL;

    if (!tap_ok(ok, "%s (pieces of %u)", t->name, (unsigned) piece)) {
        printf("# step %u, state %d, told: %s\n# error: %s\n", i,
               (int) ingress_watch_state(w), (char *) sink.told.data,
               ingress_watch_error(w));
    }

    torii_buf_free(&sink.told);
    ingress_watch_free(w);
}


static torii_str_t
test_file(torii_arena_t *a, const char *name)
{
    char         path[128];
    char         bytes[32 * 1024];
    FILE        *f;
    torii_str_t  s;

    (void) snprintf(path, sizeof(path), "t/unit/kube/%s.json", name);

    s.len = 0;
    s.data = (unsigned char *) bytes;

    f = fopen(path, "r");

    if (f != NULL) {
        s.len = fread(bytes, 1, sizeof(bytes), f);
        (void) fclose(f);
    }

    return torii_arena_str(a, s);
}


/* The recorded server; after "cut" bytes in all, a connection breaks. */

typedef struct {
    torii_str_t   page1;
    torii_str_t   page2;
    torii_str_t   initial;
    torii_str_t   events;
    unsigned      paged;
    size_t        cut;
} test_server_t;


/* The events behind the last one of a version; all, if there is none. */

static torii_str_t
test_since(const test_server_t *server, const char *path)
{
    char         mark[32];
    char        *line;
    torii_str_t  since;

    (void) snprintf(mark, sizeof(mark), "\"resourceVersion\":\"%.3s\"",
                    strstr(path, FROM) + strlen(FROM));

    since = server->events;

    while ((line = strstr((char *) since.data, mark)) != NULL) {
        line = strchr(line, '\n') + 1;
        since.len -= (unsigned char *) line - since.data;
        since.data = (unsigned char *) line;
    }

    return since;
}


static void
test_serve(test_server_t *server, ingress_watch_t *w, uint64_t now,
    const char *path)
{
    const char            *error;
    torii_str_t            body;
    ingress_api_answer_t   answer;

    memset(&answer, 0, sizeof(answer));
    answer.status = 200;

    body = strstr(path, STREAM) != NULL ? server->initial
           : strstr(path, "&continue=") != NULL ? server->page2
           : strstr(path, "?limit=") != NULL ? server->page1
           : test_since(server, path);

    if (server->paged && strstr(path, STREAM) != NULL) {
        answer.status = 422;
        body.len = 0;
    }

    error = NULL;

    if (server->cut < body.len) {
        body.len = server->cut;
        error = "reset";
    }

    server->cut -= error != NULL ? server->cut : body.len;
    server->cut = error != NULL ? SIZE_MAX : server->cut;

    if (ingress_watch_head(w, now, &answer) == TORII_OK
        && test_send(w, now, body, 1000) == TORII_OK)
    {
        ingress_watch_end(w, now + 6000, error);
    }
}


/* Until a watch from the last version brings nothing new. */

static int
test_cut(test_server_t *server, size_t cut, test_sink_t *sink)
{
    int                     done;
    unsigned                i;
    uint32_t                wait;
    uint64_t                now;
    ingress_watch_t        *w;
    ingress_api_request_t   req;

    w = test_watch(sink, cut);
    server->cut = cut;
    now = 1000;
    done = 0;

    /* as it was before a restart: these must be there all the time */

    test_keep(sink);

    for (i = 0; i < 20 && !done; i++) {
        while (ingress_watch_next(w, now, &req, &wait) != TORII_OK) {
            now += wait;
        }

        done = strstr((char *) req.path.data, FROM "256") != NULL;

        test_serve(server, w, now, (char *) req.path.data);
    }

    done = done && !sink->lost && sink->n == 3
           && ingress_watch_state(w) == INGRESS_WATCH_COMPLETE;

    torii_buf_free(&sink->told);
    ingress_watch_free(w);

    return done;
}


static void
test_cuts(test_server_t *server, const char *name)
{
    int          ok;
    size_t       cut, pages, all;
    test_sink_t  sink;

    pages = server->paged ? server->page1.len + server->page2.len : 0;
    all = pages + (server->paged ? server->events.len : server->initial.len);

    ok = all > 4000;

    for (cut = 0; ok && cut <= all; cut += cut + 5 < pages ? 5 : 1) {
        ok = test_cut(server, cut, &sink);
    }

    if (!tap_ok(ok, "%s, cut at each byte of its %u", name, (unsigned) all)) {
        printf("# at %u\n", (unsigned) cut);
    }
}


static void
test_recorded(void)
{
    test_server_t   server;
    torii_arena_t  *a;

    a = torii_arena_create(1024);

    server.page1 = test_file(a, "ingress-list-page1");
    server.page2 = test_file(a, "ingress-list-page2");
    server.initial = test_file(a, "ingress-watch-initial-events");
    server.events = test_file(a, "ingress-watch");

    server.paged = 0;
    test_cuts(&server, "a recorded streaming list");

    server.paged = 1;
    test_cuts(&server, "recorded pages and a watch");

    torii_arena_destroy(a);
}


/* Refusals as they were recorded. */

static void
test_refusals(void)
{
    size_t                 i;
    torii_arena_t         *a;
    ingress_api_status_t   status;

    static const struct {
        const char  *file;
        uint32_t     code;
        const char  *reason;
        const char  *message;
    } cases[] = {
        { "list-forbidden", 403, "Forbidden",
          "ingresses.networking.k8s.io is forbidden: User \"nobody\"" },
        { "list-unauthorized", 401, "Unauthorized", "Unauthorized" },
        { "ingress-list-bad-continue", 400, "BadRequest",
          "invalid continue token" }
    };

    a = torii_arena_create(1024);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(ingress_api_status_parse(test_file(a, cases[i].file), &status)
               == TORII_OK
               && status.code == cases[i].code
               && strcmp(status.reason, cases[i].reason) == 0
               && strncmp(status.message, cases[i].message,
                          strlen(cases[i].message)) == 0,
               "the recorded %s", cases[i].file);
    }

    tap_ok(ingress_api_status_parse(torii_str("{\"kind\":\"Status\","
               "\"message\":\"a\\nb\\u0000\xc3\xa9\",\"code\":\"x\"}"),
               &status) == TORII_OK
           && strcmp(status.message, "a b \xc3\xa9") == 0 && status.code == 0,
           "control bytes of a message become blanks");

    tap_ok(ingress_api_status_parse(torii_str("404 page not found"), &status)
           == TORII_ERROR && status.message[0] == '\0'
           && ingress_api_status_parse(torii_str("{\"kind\":\"Pod\"}"),
                                       &status) == TORII_ERROR,
           "what is no Status");

    torii_arena_destroy(a);
}


static void
test_backoff(void)
{
    int                ok;
    uint32_t           i, wait, base;
    ingress_backoff_t  b = { 0 };

    ok = 1;
    base = 800;

    for (i = 0; i < 12; i++) {
        wait = ingress_backoff_next(&b, 0, i * 2654435761U);
        ok = ok && wait >= base && wait <= base + base / 2;
        base = base * 2 > 20000 ? 20000 : base * 2;
    }

    ingress_backoff_reset(&b);
    ok = ok && ingress_backoff_next(&b, 0, UINT32_MAX) <= 1200;

    tap_ok(ok, "back-off from 0.8 s to 30 s");

    wait = ingress_backoff_next(&b, 4000000000U, 7);
    tap_ok(wait >= 300000 && wait <= 337500, "Retry-After, up to 5 minutes");
}


/* What does not come in tables: sizes. */

static int
test_large(size_t size)
{
    uint32_t               wait;
    torii_buf_t            b = { NULL, 0, 0 };
    torii_str_t            body;
    test_sink_t            sink;
    ingress_watch_t       *w;
    ingress_api_answer_t   answer;
    ingress_api_request_t  req;

    w = test_watch(&sink, size);

    memset(&answer, 0, sizeof(answer));
    answer.status = 200;

    torii_buf_adds(&b, EVENT("ADDED", "a", "1") "{\"type\":\"ADDED\","
                   "\"object\":{\"metadata\":{\"name\":\"b\"},\"x\":\"");
    memset(torii_buf_room(&b, size), 'x', size);
    b.len += size;
    torii_buf_adds(&b, "\"}}\n" INITIAL_END("5"));

    body.data = b.data;
    body.len = b.len;

    (void) ingress_watch_next(w, 1, &req, &wait);
    (void) ingress_watch_head(w, 1, &answer);
    (void) test_send(w, 1, body, 100000);

    wait = ingress_watch_state(w) == INGRESS_WATCH_COMPLETE && sink.n == 2;

    if (!wait && strstr(ingress_watch_error(w), "is larger than 16 MB") == NULL)
    {
        printf("# %s\n", ingress_watch_error(w));
        wait = 2;
    }

    torii_buf_free(&b);
    torii_buf_free(&sink.told);
    ingress_watch_free(w);

    return (int) wait;
}


/* A server that always has one page more. */

static int
test_endless(void)
{
    int                    ok;
    uint32_t               i, wait;
    uint64_t               now;
    test_sink_t            sink;
    ingress_watch_t       *w;
    ingress_api_request_t  req;

    static const test_step_t  refused = {
        "", AT_ONCE, 400, "", 1, NORMAL
    };

    static const test_step_t  page = {
        "", AT_ONCE, 200, LIST("1", "t", ""), 1, NORMAL
    };

    w = test_watch(&sink, 1);
    now = 1000;

    ok = test_step(w, &now, &refused, 100);

    for (i = 0; i < 10001; i++) {
        ok = ok && test_step(w, &now, &page, 100);
    }

    ok = ok && ingress_watch_next(w, now, &req, &wait) == TORII_AGAIN
         && strstr(ingress_watch_error(w), "a list does not end") != NULL
         && ingress_watch_state(w) == INGRESS_WATCH_NEVER;

    torii_buf_free(&sink.told);
    ingress_watch_free(w);

    return ok;
}


/* A clock that is set back by days must not stop it for days. */

static int
test_clock(void)
{
    int                    rc;
    uint32_t               wait;
    test_sink_t            sink;
    ingress_watch_t       *w;
    ingress_api_request_t  req;

    w = test_watch(&sink, 1);

    (void) ingress_watch_next(w, 1000000000, &req, &wait);
    ingress_watch_end(w, 1000000000, "refused");

    rc = ingress_watch_next(w, 1000, &req, &wait) == TORII_AGAIN
         && wait <= 400000
         && ingress_watch_next(w, 1000 + wait, &req, &wait) == TORII_OK;

    torii_buf_free(&sink.told);
    ingress_watch_free(w);

    return rc;
}


/* What a resource asks for: metadata only, fields, a namespace. */

static int
test_resource(void)
{
    int                       ok;
    uint32_t                  wait;
    ingress_watch_t          *w;
    ingress_watch_sink_t      sink;
    ingress_api_answer_t      answer;
    ingress_api_request_t     req;
    ingress_watch_resource_t  res;

    memset(&sink, 0, sizeof(sink));
    memset(&res, 0, sizeof(res));
    memset(&answer, 0, sizeof(answer));

    res.path = torii_str("/api/v1/namespaces/demo/secrets");
    res.fields = torii_str("metadata.name=a,type!=b/c");
    res.metadata = 1;

    w = ingress_watch_create(&res, &sink, 7);

    ok = ingress_watch_next(w, 1, &req, &wait) == TORII_OK
         && strstr(req.accept, "as=PartialObjectMetadata;") != NULL
         && strstr((char *) req.path.data, "/api/v1/namespaces/demo/secrets?"
                   "watch=1&") != NULL
         && strstr((char *) req.path.data, "&fieldSelector=metadata.name%3Da"
                   "%2Ctype%21%3Db%2Fc") != NULL;

    answer.status = 400;
    (void) ingress_watch_head(w, 1, &answer);
    ingress_watch_end(w, 1, NULL);

    ok = ok && ingress_watch_next(w, 1, &req, &wait) == TORII_OK
         && strstr(req.accept, "as=PartialObjectMetadataList;") != NULL
         && strcmp(req.method, "GET") == 0 && req.body.len == 0;

    ingress_watch_free(w);

    return ok;
}


int
main(void)
{
    size_t    i, j;
    unsigned  n;

    static const size_t  pieces[] = { 1, 7, 4096 };

    n = sizeof(test_cases) / sizeof(test_cases[0]);

    for (i = 0; i < n; i++) {
        for (j = 0; j < 3; j++) {
            test_script(&test_cases[i], pieces[j]);
        }
    }

    test_recorded();
    test_refusals();
    test_backoff();

    tap_ok(test_large(3 * 1024 * 1024) == 1, "an object of 3 MB");
    tap_ok(test_large(17 * 1024 * 1024) == 0, "an object of 17 MB");
    tap_ok(test_endless(), "pages without an end");
    tap_ok(test_clock(), "a clock that is set back");
    tap_ok(test_resource(), "metadata, fields and a namespace");

    return tap_done();
}
