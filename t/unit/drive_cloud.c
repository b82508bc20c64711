
/*
 * A driver that speaks HTTP against a real server, by libcurl: ../cloud.py
 * drives it.  Arguments are settings, NAME=VALUE; commands are JSON, a line
 * each, and so are answers:
 *
 * {"do":"zones"}
 * {"do":"zone","id":I,"name":N}     that of all that follows
 * {"do":"probe"}, {"do":"list"}     {"fresh":true}: without a version
 * {"do":"apply","edits":[{"parts":[{"name":N,"type":T,"after":SET}],
 *     "keep":[{"name":N,"type":T}],"absent":[{"name":N,"type":T}]}]}
 *     before is what was listed, keep what is listed and stays
 * {"do":"challenge","name":N,"value":V,"add":true}
 *
 * SLEEP takes no time: the clock that the driver sees is put forward.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <curl/curl.h>

#include "dnssync_http.h"


#define DRIVE_LINE  (4 * 1024 * 1024)


typedef struct {
    dnssync_account_t      *account;
    dnssync_op_t           *listed;
    dnssync_found_t         zone;
    torii_arena_t          *arena;         /* of one command */
    torii_arena_t          *kept;
    CURL                   *curl;
    uint64_t                ahead;         /* ms */
    unsigned                requests;
    torii_buf_t             body;
    torii_buf_t             out;
} drive_t;


static const char *const  drive_outcomes[] = {
    "later", "done", "lost", "refused", "unsure"
};


static uint64_t
drive_now(const drive_t *d)
{
    struct timespec  t;

    clock_gettime(CLOCK_REALTIME, &t);

    return (uint64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000 + d->ahead;
}


static size_t
drive_take(char *data, size_t size, size_t n, void *to)
{
    torii_buf_add(to, data, size * n);

    return size * n;
}


static char *
drive_cstr(drive_t *d, torii_str_t s)
{
    return (char *) torii_arena_str(d->arena, s).data;
}


/* As the module does it: no redirects, SigV4 by libcurl. */

static void
drive_send(drive_t *d, const dnssync_request_t *r, dnssync_answer_t *answer)
{
    int                 rc;
    CURL               *c;
    long                status;
    char               *type;
    uint32_t            i;
    curl_off_t          later;
    struct curl_slist  *headers;

    c = d->curl;
    headers = NULL;
    d->body.len = 0;
    d->requests++;

    curl_easy_reset(c);

    for (i = 0; i < r->nheaders; i++) {
        headers = curl_slist_append(headers, drive_cstr(d, r->headers[i]));
    }

    curl_easy_setopt(c, CURLOPT_URL, drive_cstr(d, r->url));
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drive_take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &d->body);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long) r->timeout);

    if (r->body.len) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.data);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long) r->body.len);
    }

    if (r->sign.len) {
        curl_easy_setopt(c, CURLOPT_AWS_SIGV4, drive_cstr(d, r->sign));
    }

    if (r->login.len) {
        curl_easy_setopt(c, CURLOPT_USERPWD, drive_cstr(d, r->login));
    }

    rc = curl_easy_perform(c);

    if (rc != CURLE_OK) {
        answer->error = curl_easy_strerror(rc);

    } else {
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
        curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &later);
        answer->status = (unsigned) status;
        answer->type = torii_str(type ? type : "");
        answer->retry_after = (uint32_t) later;
        answer->body.data = d->body.data ? d->body.data
                                         : (unsigned char *) "";
        answer->body.len = d->body.len;
    }

    curl_slist_free_all(headers);
}


static void
drive_run(drive_t *d, dnssync_op_t *op)
{
    uint32_t            i;
    uint64_t            slept;
    dnssync_answer_t    answer;
    dnssync_op_step_e   step;

    slept = 0;
    d->requests = 0;
    step = dnssync_op_go(op, drive_now(d));

    for ( ;; ) {

        if (step == DNSSYNC_OP_SEND) {
            memset(&answer, 0, sizeof(dnssync_answer_t));
            drive_send(d, &op->request, &answer);
            step = dnssync_op_answer(op, drive_now(d), &answer);

        } else if (step == DNSSYNC_OP_SLEEP) {
            slept += op->until - op->now;
            d->ahead += op->until - op->now;
            step = dnssync_op_go(op, drive_now(d));

        } else {
            break;
        }
    }

    torii_buf_printf(&d->out, "{\"step\":\"%s\",\"requests\":%u,"
                     "\"slept\":%llu,\"same\":%s,\"trouble\":\"%s\","
                     "\"error\":",
                     step == DNSSYNC_OP_DONE ? "done" : "failed", d->requests,
                     (unsigned long long) slept, op->same ? "true" : "false",
                     dnssync_trouble_word(op->trouble));
    torii_buf_add_json(&d->out, torii_str(op->error));
    torii_buf_adds(&d->out, ",\"next\":");
    torii_buf_add_json(&d->out, op->next);
    torii_buf_adds(&d->out, ",\"results\":[");

    for (i = 0; i < op->nedits; i++) {
        torii_buf_printf(&d->out, "%s{\"what\":\"%s\",\"text\":",
                         i ? "," : "", drive_outcomes[op->results[i].what]);
        torii_buf_add_json(&d->out, op->results[i].text);
        torii_buf_adds(&d->out, "}");
    }

    torii_buf_adds(&d->out, "]");
}


static dnssync_op_t *
drive_op(drive_t *d, dnssync_op_e what, const torii_node_t *in)
{
    dnssync_op_t  *op;

    op = dnssync_op_create(d->account, what);
    op->zone = d->zone;

    if (d->listed != NULL && !dnssync_json_true(in, "fresh")) {
        op->version = d->listed->next;
    }

    return op;
}


static void
drive_zones(drive_t *d, const torii_node_t *in)
{
    uint32_t       i;
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_ZONES, in);
    drive_run(d, op);
    torii_buf_adds(&d->out, ",\"zones\":[");

    for (i = 0; i < op->nzones; i++) {
        torii_buf_adds(&d->out, i ? ",{\"id\":" : "{\"id\":");
        torii_buf_add_json(&d->out, op->zones[i].id);
        torii_buf_adds(&d->out, ",\"name\":");
        torii_buf_add_json(&d->out, op->zones[i].name);
        torii_buf_printf(&d->out, ",\"private\":%s,\"sets\":%u}",
                         op->zones[i].private ? "true" : "false",
                         (unsigned) op->zones[i].sets);
    }

    torii_buf_adds(&d->out, "]");
    dnssync_op_free(op);
}


static void
drive_set(drive_t *d, const dnssync_rrset_t *set)
{
    uint32_t  i;

    torii_buf_adds(&d->out, "{\"name\":");
    torii_buf_add_json(&d->out, set->name);
    torii_buf_printf(&d->out, ",\"type\":\"%s\",\"ttl\":%u,\"set\":",
                     dnssync_rtype_word(set->type)
                     ? dnssync_rtype_word(set->type) : "?",
                     (unsigned) set->ttl);
    torii_buf_add_json(&d->out, set->set);
    torii_buf_adds(&d->out, ",\"tag\":");
    torii_buf_add_json(&d->out, set->tag);
    torii_buf_adds(&d->out, ",\"values\":[");

    for (i = 0; i < set->n; i++) {
        torii_buf_adds(&d->out, i ? "," : "");
        torii_buf_add_json(&d->out, set->values[i]);
    }

    torii_buf_adds(&d->out, "],\"options\":{");

    for (i = 0; i < set->noptions; i++) {
        torii_buf_adds(&d->out, i ? "," : "");
        torii_buf_add_json(&d->out, set->options[i].name);
        torii_buf_adds(&d->out, ":");
        torii_buf_add_json(&d->out, set->options[i].value);
    }

    torii_buf_adds(&d->out, "}}");
}


static void
drive_list(drive_t *d, const torii_node_t *in)
{
    uint32_t       i;
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_LIST, in);
    drive_run(d, op);
    torii_buf_adds(&d->out, ",\"sets\":[");

    for (i = 0; i < op->nsets; i++) {
        torii_buf_adds(&d->out, i ? "," : "");
        drive_set(d, &op->sets[i]);
    }

    torii_buf_adds(&d->out, "]");

    if (op->trouble != DNSSYNC_TROUBLE_NONE || op->same) {
        dnssync_op_free(op);
        return;
    }

    dnssync_op_free(d->listed);
    d->listed = op;
}


static const dnssync_rrset_t *
drive_known(drive_t *d, torii_str_t name, unsigned type)
{
    uint32_t  i;

    for (i = 0; d->listed && i < d->listed->nsets; i++) {
        if (d->listed->sets[i].type == type
            && torii_str_eq(d->listed->sets[i].name, name))
        {
            return &d->listed->sets[i];
        }
    }

    return NULL;
}


static dnssync_rrset_t *
drive_after(drive_t *d, const torii_node_t *in, torii_str_t name,
    unsigned type, const dnssync_rrset_t *before)
{
    uint32_t          i;
    uint64_t          ttl;
    torii_node_t     *list;
    dnssync_rrset_t  *set;

    if (in == NULL || in->type != TORII_NODE_MAP) {
        return NULL;
    }

    set = torii_arena_zalloc(d->arena, sizeof(dnssync_rrset_t));
    list = torii_node_get(in, "values");
    ttl = 60;
    (void) dnssync_json_uint(in, "ttl", UINT32_MAX, &ttl);

    set->name = name;
    set->type = type;
    set->ttl = (uint32_t) ttl;
    set->id = before ? before->id : torii_str("");
    set->tag = dnssync_json_str(in, "tag");
    set->values = torii_arena_alloc(d->arena,
                                    list->n * sizeof(torii_str_t));

    for (i = 0; i < list->n; i++) {
        set->values[set->n++] = list->items[i]->text;
    }

    list = torii_node_get(in, "options");

    for (i = 0; list != NULL && i < list->n; i++) {
        if (i == 0) {
            set->options = torii_arena_alloc(d->arena,
                                      list->n * sizeof(dnssync_option_t));
        }

        set->options[i].name = list->keys[i];
        set->options[i].value = list->items[i]->text;
        set->noptions++;
    }

    return set;
}


static void
drive_requires(drive_t *d, dnssync_edit_t *e, const torii_node_t *list,
    int keep)
{
    uint32_t            i;
    dnssync_require_t  *r;

    for (i = 0; list != NULL && i < list->n; i++) {
        r = &e->requires[e->nrequires++];

        r->name = dnssync_json_str(list->items[i], "name");
        r->type = dnssync_rtype_read(dnssync_json_str(list->items[i],
                                                      "type"));
        r->equal = keep ? drive_known(d, r->name, r->type) : NULL;
    }
}


static const dnssync_edit_t *
drive_edit(drive_t *d, const torii_node_t *in)
{
    uint32_t             i;
    dnssync_edit_t      *e;
    dnssync_part_t      *p;
    dnssync_require_t   *r;
    const torii_node_t  *list, *item;

    e = torii_arena_zalloc(d->arena, sizeof(dnssync_edit_t));
    list = torii_node_get(in, "parts");

    e->parts = torii_arena_zalloc(d->arena, (list->n + 1)
                                            * sizeof(dnssync_part_t));
    e->requires = torii_arena_zalloc(d->arena, (list->n + 16)
                                               * sizeof(dnssync_require_t));

    for (i = 0; i < list->n; i++) {
        item = list->items[i];
        p = &e->parts[e->nparts++];
        r = &e->requires[e->nrequires++];

        r->name = dnssync_json_str(item, "name");
        r->type = dnssync_rtype_read(dnssync_json_str(item, "type"));
        r->equal = drive_known(d, r->name, r->type);

        p->before = r->equal;
        p->after = drive_after(d, torii_node_get(item, "after"), r->name,
                               r->type, r->equal);
    }

    drive_requires(d, e, torii_node_get(in, "keep"), 1);
    drive_requires(d, e, torii_node_get(in, "absent"), 0);

    return e;
}


static void
drive_apply(drive_t *d, const torii_node_t *in)
{
    uint32_t       i;
    torii_node_t  *list;
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_APPLY, in);
    list = torii_node_get(in, "edits");
    op->edits = torii_arena_alloc(d->arena, (list->n + 1)
                                            * sizeof(dnssync_edit_t *));

    for (i = 0; i < list->n; i++) {
        op->edits[op->nedits++] = drive_edit(d, list->items[i]);
    }

    drive_run(d, op);
    dnssync_op_free(op);
}


static void
drive_challenge(drive_t *d, const torii_node_t *in)
{
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_CHALLENGE, in);

    op->name = dnssync_json_str(in, "name");
    op->value = dnssync_json_str(in, "value");
    op->add = dnssync_json_true(in, "add");

    drive_run(d, op);
    dnssync_op_free(op);
}


static void
drive_probe(drive_t *d, const torii_node_t *in)
{
    dnssync_op_t  *op;

    op = drive_op(d, DNSSYNC_OP_PROBE, in);
    drive_run(d, op);
    dnssync_op_free(op);
}


static void
drive_zone(drive_t *d, const torii_node_t *in)
{
    d->zone.id = torii_arena_str(d->kept, dnssync_json_str(in, "id"));
    d->zone.name = torii_arena_str(d->kept, dnssync_json_str(in, "name"));
    dnssync_op_free(d->listed);
    d->listed = NULL;

    torii_buf_adds(&d->out, "{\"step\":\"done\"");
}


static void
drive_line(drive_t *d, char *line)
{
    size_t              i;
    torii_str_t         what;
    torii_node_t       *in;
    torii_tree_error_t  error;

    static const struct {
        const char  *name;
        void       (*run)(drive_t *d, const torii_node_t *in);
    } commands[] = {
        { "zones", drive_zones }, { "zone", drive_zone },
        { "probe", drive_probe }, { "list", drive_list },
        { "apply", drive_apply }, { "challenge", drive_challenge }
    };

    d->arena = torii_arena_create(64 * 1024);
    d->out.len = 0;

    if (torii_tree_json(d->arena, torii_str(line), &torii_tree_limits, &in,
                        &error) != TORII_OK)
    {
        torii_buf_printf(&d->out, "{\"error\":\"%s\"", error.text);

    } else {
        what = dnssync_json_str(in, "do");

        for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
            if (torii_str_eqs(what, commands[i].name)) {
                commands[i].run(d, in);
            }
        }
    }

    printf("%.*s}\n", torii_str_arg(d->out));
    fflush(stdout);
    torii_arena_destroy(d->arena);
}


int
main(int argc, char **argv)
{
    int                n;
    char              *line, *equal;
    drive_t            d;
    torii_str_t        why;
    dnssync_option_t   settings[32];

    memset(&d, 0, sizeof(drive_t));

    for (n = 0; n + 1 < argc && n < 32; n++) {
        equal = strchr(argv[n + 1], '=');
        *equal = '\0';
        settings[n].name = torii_str(argv[n + 1]);
        settings[n].value = torii_str(equal + 1);
    }

    d.account = dnssync_account_create(torii_str("test/cloud"), settings,
                                       (uint32_t) n, &why);
    if (why.len) {
        printf("{\"step\":\"none\",\"error\":\"%.*s\"}\n",
               torii_str_arg(why));
        dnssync_account_free(d.account);
        return 1;
    }

    d.kept = torii_arena_create(4096);
    d.curl = curl_easy_init();
    line = torii_malloc(DRIVE_LINE);

    printf("{\"step\":\"ready\"}\n");
    fflush(stdout);

    while (fgets(line, DRIVE_LINE, stdin) != NULL) {
        drive_line(&d, line);
    }

    free(line);
    curl_easy_cleanup(d.curl);
    dnssync_op_free(d.listed);
    torii_arena_destroy(d.kept);
    torii_buf_free(&d.body);
    torii_buf_free(&d.out);
    dnssync_account_free(d.account);

    return 0;
}
