
/*
 * The life of an operation: what it says holds no secret, what it sends no line
 * too many; errors in words; lists of JSON read piece by piece.
 */

#define _GNU_SOURCE

#include "provider_world.h"


static const struct {
    const char         *name;
    const char         *body;
    const char         *text;
    unsigned            status;
    dnssync_trouble_e   trouble;
} fails[] = {
    { "no answer", "", "x: it is broken", 0, DNSSYNC_TROUBLE_DOWN },
    { "text", "no such key", "x: status 401, \"no such key\"", 401,
      DNSSYNC_TROUBLE_DENIED },
    { "error", "{\"error\":\"gone\"}", "x: status 404, \"gone\"", 404,
      DNSSYNC_TROUBLE_SETTING },
    { "error with a message", "{\"error\":{\"code\":7,\"message\":\"bad\"}}",
      "x: status 400, \"bad\" (7)", 400, DNSSYNC_TROUBLE_ANSWER },
    { "message", "{\"id\":\"a\",\"message\":\"bad\"}",
      "x: status 422, \"bad\"", 422, DNSSYNC_TROUBLE_ANSWER },
    { "errors", "{\"errors\":[{\"code\":9,\"message\":\"bad\"}]}",
      "x: status 500, \"bad\" (9)", 500, DNSSYNC_TROUBLE_DOWN },
    { "errors with a chain", "{\"errors\":[{\"code\":9,\"message\":\"bad\","
      "\"error_chain\":[{\"code\":10,\"message\":\"no such name\"}]}]}",
      "x: status 400, \"bad: no such name\" (9)", 400,
      DNSSYNC_TROUBLE_ANSWER },
    { "errors that are strings", "{\"errors\":[\"bad\"]}",
      "x: status 500, \"bad\"", 500, DNSSYNC_TROUBLE_DOWN },
    { "a page", "<html>", "x: status 500, with a page instead of an answer",
      500, DNSSYNC_TROUBLE_DOWN },
    { "lines", "a\nb", "x: status 500, \"a b\"", 500, DNSSYNC_TROUBLE_DOWN },
    { "the key", "you said sesame, sesame!",
      "x: status 500, \"you said ***, ***!\"", 500, DNSSYNC_TROUBLE_DOWN },
    { "the token", "the token t0k3n-t0k3n is old",
      "x: status 403, \"the token *** is old\"", 403, DNSSYNC_TROUBLE_DENIED },
    { "too soon", "", "x: status 429", 429, DNSSYNC_TROUBLE_THROTTLED },
    { "elsewhere", "", "x: status 301, which leads elsewhere: is the URL "
      "right?", 301, DNSSYNC_TROUBLE_SETTING },
    { "nothing wrong", "", "x: the answer is not what was asked for (status "
      "200)", 200, DNSSYNC_TROUBLE_ANSWER }
};


static const char  settings[] = "provider=powerdns\npdns-api-key=sesame";


static void
test_fails(void)
{
    size_t            i;
    provider_t        p;
    dnssync_answer_t  a;

    for (i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
        provider_start(&p, settings);
        p.account->token = torii_str("t0k3n-t0k3n");

        provider_op(&p, DNSSYNC_OP_LIST);
        p.op->now = PROVIDER_NOW;

        memset(&a, 0, sizeof(dnssync_answer_t));
        a.status = fails[i].status;
        a.error = "it is broken";
        a.body = torii_str(fails[i].body);

        (void) dnssync_op_fail_http(p.op, &a, "x");

        provider_ok(&p, p.op->trouble == fails[i].trouble
                    && strcmp(p.op->error, fails[i].text) == 0
                    && (p.op->until > p.op->now)
                       == (fails[i].trouble == DNSSYNC_TROUBLE_THROTTLED),
                    fails[i].name);
        provider_end(&p);
    }
}


/* A secret that would be cut off in the middle is found before. */

static void
test_secret_at_the_end(void)
{
    size_t      i;
    provider_t  p;
    char        filler[DNSSYNC_ERROR_MAX];

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_LIST);

    for (i = DNSSYNC_ERROR_MAX - 10; i < DNSSYNC_ERROR_MAX; i++) {
        memset(filler, 'x', i);
        filler[i] = '\0';

        (void) dnssync_op_fail(p.op, DNSSYNC_TROUBLE_DOWN, "%ssesame", filler);

        if (strstr(p.op->error, "se") != NULL) {
            break;
        }
    }

    (void) tap_ok(i == DNSSYNC_ERROR_MAX, "a secret at the end of a long text");
    provider_end(&p);
}


static void
test_request(void)
{
    provider_t          p;
    dnssync_request_t  *r;

    provider_start(&p, "provider=powerdns\npdns-api-key=sesame\n"
                   "ca=-----BEGIN CERTIFICATE-----");
    provider_op(&p, DNSSYNC_OP_LIST);

    torii_buf_adds(dnssync_op_body(p.op), "old");

    r = dnssync_op_http(p.op, "POST", "https://a.test/%d", 1);
    dnssync_op_header(p.op, "A: %s", "b");
    dnssync_op_header(p.op, "C: %s", "d\r\nE: f");
    torii_buf_adds(dnssync_op_body(p.op), "new");

    (void) tap_ok(dnssync_op_send(p.op) == DNSSYNC_OP_SEND
                  && torii_str_eqs(r->url, "https://a.test/1")
                  && torii_str_eqs(r->body, "new") && r->tls
                  && r->ca.len && r->timeout && r->cost == 1,
                  "a request begins anew");
    (void) tap_ok(r->nheaders == 2 && torii_str_eqs(r->headers[1], "A: b"),
                  "a header of two lines is none");
    provider_end(&p);
}


static void
test_results(void)
{
    provider_t            p;
    const dnssync_edit_t  *edits[3];

    provider_start(&p, settings);
    provider_op(&p, DNSSYNC_OP_APPLY);

    p.op->edits = edits;
    p.op->nedits = 3;
    p.op->results = torii_arena_zalloc(p.op->arena,
                                       4 * sizeof(dnssync_result_t));

    dnssync_op_result(p.op, 1, DNSSYNC_OUTCOME_LOST, "by %s", "sesame");
    dnssync_op_result(p.op, 1, DNSSYNC_OUTCOME_DONE, "%s", "");
    dnssync_op_result(p.op, 3, DNSSYNC_OUTCOME_DONE, "%s", "");
    dnssync_op_results(p.op, 0, 3, DNSSYNC_OUTCOME_UNSURE, "100%s");

    (void) tap_ok(p.op->results[1].what == DNSSYNC_OUTCOME_LOST
                  && torii_str_eqs(p.op->results[1].text, "by ***")
                  && p.op->results[0].what == DNSSYNC_OUTCOME_UNSURE
                  && torii_str_eqs(p.op->results[2].text, "100%s")
                  && p.op->results[3].what == DNSSYNC_OUTCOME_LATER,
                  "the first result that is told counts");
    provider_end(&p);
}


static const struct {
    const char  *body;
    const char  *list;
    int          rc;
    unsigned     n;
    int          type;         /* of what is in the list's place */
} lists[] = {
    { "[]", NULL, TORII_OK, 0, TORII_NODE_LIST },
    { " [ 1 , \"],[\\\"\" , {\"a\":[[]]} ] ", NULL, TORII_OK, 3,
      TORII_NODE_LIST },
    { "null", NULL, TORII_OK, 0, TORII_NODE_NULL },
    { "{}", NULL, TORII_OK, 0, TORII_NODE_MAP },
    { "", NULL, TORII_ERROR, 0, 0 },
    { "[", NULL, TORII_ERROR, 0, 0 },
    { "[1", NULL, TORII_ERROR, 0, 0 },
    { "[1,", NULL, TORII_ERROR, 0, 0 },
    { "[1,]", NULL, TORII_ERROR, 0, 0 },
    { "[,1]", NULL, TORII_ERROR, 0, 0 },
    { "[1}", NULL, TORII_ERROR, 0, 0 },
    { "[1] 2", NULL, TORII_ERROR, 0, 0 },
    { "[1][2]", NULL, TORII_ERROR, 0, 0 },
    { "[1 2]", NULL, TORII_ERROR, 0, 0 },
    { "[{\"a\":1]", NULL, TORII_ERROR, 0, 0 },
    { "[\"a]", NULL, TORII_ERROR, 0, 0 },
    { "{\"l\":[1,2]}", "l", TORII_OK, 2, TORII_NODE_LIST },
    { "{\"a\":[5],\"b\":{\"l\":[6]},\"l\":[1,2],\"c\":3}", "l", TORII_OK, 2,
      TORII_NODE_LIST },
    { "{\"l\":null}", "l", TORII_OK, 0, TORII_NODE_NULL },
    { "{\"a\":1}", "l", TORII_OK, 0, -1 },
    { "{\"l\":[1],\"l\":[2]}", "l", TORII_ERROR, 0, 0 },
    { "{\"l\":[1]", "l", TORII_ERROR, 0, 0 },
    { "{\"l\":[1],}", "l", TORII_ERROR, 0, 0 },
    { "{\"l\":[1]}}", "l", TORII_ERROR, 0, 0 },
    { "[1]", "l", TORII_ERROR, 0, 0 }
};


static int
count(void *data, const torii_node_t *item)
{
    (*(unsigned *) data)++;
    return TORII_OK;
}


static int
stop(void *data, const torii_node_t *item)
{
    return ++(*(unsigned *) data) == 2 ? TORII_ERROR : TORII_OK;
}


static void
test_json_lists(void)
{
    int             rc;
    char            why[192];
    size_t          i;
    unsigned        n;
    torii_node_t   *head, *list;
    torii_arena_t  *a;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        a = torii_arena_create(256);
        n = 0;

        rc = dnssync_json_list(a, torii_str(lists[i].body), lists[i].list,
                               count, &n, &head, why);

        if (rc == TORII_OK) {
            list = lists[i].list ? torii_node_get(head, lists[i].list) : head;
            rc = (list ? (int) list->type : -1) == lists[i].type
                 && n == lists[i].n ? TORII_OK : TORII_AGAIN;
        }

        (void) tap_ok(rc == lists[i].rc, "list: %s", lists[i].body);
        torii_arena_destroy(a);
    }
}


/* Pieces are of some kilobytes, at whose borders nothing gets lost. */

static void
test_json_long(void)
{
    int             rc;
    char            why[192];
    unsigned        i, n;
    torii_buf_t     b;
    torii_str_t     s;
    torii_node_t   *head;
    torii_arena_t  *a;

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "{\"l\":[");

    for (i = 0; i < 20000; i++) {
        torii_buf_printf(&b, "%s{\"a\":\"%0*u\",\"b\":[]}", i ? "," : "",
                         (int) (i % 90), i);
    }

    torii_buf_adds(&b, "],\"m\":7}");

    s.data = b.data;
    s.len = b.len;
    a = torii_arena_create(256);

    n = 0;
    rc = dnssync_json_list(a, s, "l", count, &n, &head, why);
    (void) tap_ok(rc == TORII_OK && n == 20000
                  && torii_str_eqs(dnssync_json_str(head, "m"), "7")
                  && torii_arena_used(a) < 4096, "a list of many pieces");

    n = 0;
    rc = dnssync_json_list(a, s, "l", stop, &n, &head, why);
    (void) tap_ok(rc == TORII_DECLINED && n == 2, "a list that is stopped");

    s.len -= 10;
    n = 0;
    rc = dnssync_json_list(a, s, "l", count, &n, &head, why);
    (void) tap_ok(rc == TORII_ERROR && n == 0, "a list that is cut off");

    torii_arena_destroy(a);
    torii_buf_free(&b);
}


static const struct {
    const char  *word;
    unsigned     type;
} types[] = {
    { "A", 1 }, { "aaaa", 28 }, { "TXT", 16 }, { "TYPE65534", 65534 },
    { "TYPE0", DNSSYNC_TYPE_OTHER }, { "TYPE70000", DNSSYNC_TYPE_OTHER },
    { "LUA", DNSSYNC_TYPE_OTHER }, { "", DNSSYNC_TYPE_OTHER }
};

static const struct {
    const char  *id;
    int          ok;
} ids[] = {
    { "a.test.", 1 }, { "=2E", 1 }, { "023e105f4ecef8ad9ca31a8372d0c353", 1 },
    { "", 0 }, { ".", 0 }, { "..", 0 }, { "a/b", 0 }, { "a?b", 0 },
    { "a b", 0 }, { "a%2e", 0 }, { "a\nb", 0 }
};


static void
test_words(void)
{
    size_t       i;
    torii_buf_t  b;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        (void) tap_ok(dnssync_rtype_read(torii_str(types[i].word))
                      == types[i].type, "type \"%s\"", types[i].word);
    }

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        (void) tap_ok(dnssync_http_id(torii_str(ids[i].id)) == ids[i].ok,
                      "id %u: \"%.10s\"", (unsigned) i,
                      i == 10 ? "with a line" : ids[i].id);
    }

    memset(&b, 0, sizeof(torii_buf_t));
    dnssync_url_add(&b, torii_str("*.a b/\xc3?&=#%"));
    torii_buf_add(&b, "", 1);

    (void) tap_ok(strcmp((char *) b.data, "%2A.a%20b%2F%C3%3F%26%3D%23%25")
                  == 0, "what a URL must not hold is escaped");
    torii_buf_free(&b);
}


int
main(void)
{
    test_fails();
    test_secret_at_the_end();
    test_request();
    test_results();
    test_json_lists();
    test_json_long();
    test_words();

    return tap_done();
}
