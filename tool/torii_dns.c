
/*
 * torii dns: what a gateway would change in DNS, shown or done; and words to
 * one that runs.
 */

#include <getopt.h>
#include <unistd.h>

#include "torii_dns.h"


#define TORII_DNS_SKIP    2500         /* ms */
#define TORII_DNS_ROUNDS  3


static int torii_dns_options(torii_dns_t *t, int argc, char **argv);
static int torii_dns_dispatch(torii_dns_t *t, char **args, int n);
static int torii_dns_plan(torii_dns_t *t, int apply, char **paths, int n);
static void torii_dns_owner(torii_dns_t *t);
static dnssync_engine_t *torii_dns_engine(torii_dns_t *t, int observe,
    uint32_t *bad);
static void torii_dns_confirm(torii_dns_t *t, dnssync_engine_t *engine);
static int torii_dns_waits(const dnssync_engine_t *engine);
static int torii_dns_adopt(torii_dns_t *t, dnssync_engine_t *engine);
static int torii_dns_apply(torii_dns_t *t, torii_dns_print_t *p);
static int torii_dns_left(void *data, torii_str_t account,
    const dnssync_edit_t *edit);


static const struct option  torii_dns_long[] = {
    { "ack",       no_argument,       NULL, 'k' },
    { "addresses", required_argument, NULL, 'a' },
    { "class",     required_argument, NULL, 'c' },
    { "config",    required_argument, NULL, 'g' },
    { "from",      required_argument, NULL, 'f' },
    { "host",      required_argument, NULL, 'H' },
    { "json",      no_argument,       NULL, 'j' },
    { "owner",     required_argument, NULL, 'o' },
    { "private",   required_argument, NULL, 'p' },
    { "selector",  required_argument, NULL, 'l' },
    { "state",     required_argument, NULL, 's' },
    { "unowned",   no_argument,       NULL, 'u' },
    { NULL, 0, NULL, 0 }
};


int
torii_dns(int argc, char **argv)
{
    int          code;
    torii_dns_t  t;

    memset(&t, 0, sizeof(torii_dns_t));

    torii_source_init(&t.source);

    code = torii_dns_options(&t, argc, argv);

    if (code == TORII_EXIT_OK) {
        code = torii_dns_dispatch(&t, argv + optind, argc - optind);
    }

    torii_source_free(&t.source);

    return code;
}


static int
torii_dns_options(torii_dns_t *t, int argc, char **argv)
{
    int  c;

    while ((c = getopt_long(argc, argv, "a:c:f:g:H:jkl:o:p:s:u",
                            torii_dns_long, NULL))
           != -1)
    {
        switch (c) {

        case 'a':
            t->addresses = torii_str(optarg);
            break;

        case 'c':
            torii_source_class(&t->source, optarg);
            break;

        case 'f':
            t->adopt.from = torii_str(optarg);
            break;

        case 'g':
            t->source.options.config = torii_str(optarg);
            break;

        case 'H':
            t->adopt.host = torii_str(optarg);
            break;

        case 'j':
            t->json = 1;
            break;

        case 'k':
            t->ack = 1;
            break;

        case 'l':
            if (torii_source_selector(&t->source, optarg) != TORII_EXIT_OK) {
                return TORII_DNS_ERROR;
            }

            break;

        case 'o':
            t->owner = torii_str(optarg);
            break;

        case 'p':
            t->private = torii_str(optarg);
            break;

        case 's':
            t->state = optarg;
            break;

        case 'u':
            t->adopt.unowned = 1;
            break;

        default:
            return torii_usage("dns", TORII_DNS_ERROR);
        }
    }

    return TORII_EXIT_OK;
}


static int
torii_dns_dispatch(torii_dns_t *t, char **args, int n)
{
    int  apply;

    if (n == 0) {
        return torii_usage("dns", TORII_DNS_ERROR);
    }

    apply = (strcmp(args[0], "apply") == 0);

    if ((apply || strcmp(args[0], "plan") == 0) && n > 1) {
        return torii_dns_plan(t, apply, args + 1, n - 1);
    }

    if (t->state == NULL) {
        t->state = "/var/lib/torii";
    }

    if (strcmp(args[0], "status") == 0 && n == 1) {
        return torii_dns_status(t);
    }

    if (strcmp(args[0], "ack") == 0 || strcmp(args[0], "adopt") == 0
        || strcmp(args[0], "refresh") == 0)
    {
        return torii_dns_ask(t, args[0], args + 1, n - 1);
    }

    return torii_usage("dns", TORII_DNS_ERROR);
}


static int
torii_dns_plan(torii_dns_t *t, int apply, char **paths, int n)
{
    int                 code;
    uint32_t            bad;
    torii_dns_print_t   p;
    dnssync_engine_t   *engine;

    memset(&p, 0, sizeof(torii_dns_print_t));

    if (torii_source_read(&t->source, paths, n) != TORII_EXIT_OK) {
        return TORII_DNS_ERROR;
    }

    torii_dns_owner(t);

    t->preview = !apply;

    engine = torii_dns_engine(t, 1, &bad);
    if (engine == NULL) {
        return TORII_DNS_ERROR;
    }

    torii_dns_confirm(t, engine);

    p.json = t->json;
    p.arena = t->source.arena;
    p.errors = bad;

    torii_dns_print_begin(&p);
    torii_dns_print(&p, engine);

    if (torii_dns_adopt(t, engine)) {
        torii_dns_print(&p, engine);
    }

    torii_dns_print_end(&p, engine);
    dnssync_engine_free(engine);

    code = p.errors ? TORII_DNS_ERROR : p.edits ? TORII_DNS_CHANGES
                                                : TORII_DNS_SAME;

    if (apply && p.edits) {
        code = torii_dns_apply(t, &p);

    } else if (!apply || p.errors) {
        torii_dns_summary(&p);

    } else {
        fprintf(stderr, "nothing to do\n");
    }

    if (p.json) {
        torii_buf_adds(&p.out, "}\n");
    }

    return torii_print(&p.out) == TORII_EXIT_OK ? code : TORII_DNS_ERROR;
}


/* The same that a gateway with this state folder is. */

static void
torii_dns_owner(torii_dns_t *t)
{
    torii_buf_t  text;
    torii_str_t  owner;

    if (t->owner.len || t->state == NULL) {
        return;
    }

    memset(&text, 0, sizeof(torii_buf_t));

    if (torii_state_read(t->state, "private/dns/owner", &text)
        == TORII_EXIT_OK)
    {
        owner.data = text.data;
        owner.len = text.len;
        t->owner = torii_arena_str(t->source.arena, torii_str_trim(owner));
    }

    torii_buf_free(&text);
}


/* Told of all, and run until there is nothing left to be read, or done. */

static dnssync_engine_t *
torii_dns_engine(torii_dns_t *t, int observe, uint32_t *bad)
{
    uint64_t                now;
    dnssync_engine_t       *engine;
    dnssync_objects_t       objects;
    dnssync_engine_conf_t   conf;

    memset(&conf, 0, sizeof(dnssync_engine_conf_t));
    memset(&objects, 0, sizeof(dnssync_objects_t));

    now = torii_dns_now();

    /* what runs but once has no lock; but it respects a gateway's, if it is to
       write itself */

    conf.seed = now ^ (uint64_t) getpid() << 32;
    conf.preview = t->preview;
    conf.observe = (observe != 0);
    conf.eager = 1;

    engine = dnssync_engine_create(&conf, now);

    if (torii_dns_accounts(t, engine, bad) == 0) {
        fprintf(stderr, "torii: there is no provider of DNS: a Secret of type "
                "torii/dns-provider\n");
        dnssync_engine_free(engine);
        return NULL;
    }

    torii_dns_objects(t, &objects);

    dnssync_engine_lead(engine, now, 1, 0);
    dnssync_engine_source(engine, now, &objects);

    if (torii_dns_run(engine) != TORII_OK) {
        fprintf(stderr, "torii: there is no end to it, given up\n");
        dnssync_engine_free(engine);
        return NULL;
    }

    return engine;
}


/*
 * A gateway waits for a host that is missing to be missing still.  Whoever
 * calls this has the files at hand: so the time is taken to be over.
 */

static void
torii_dns_confirm(torii_dns_t *t, dnssync_engine_t *engine)
{
    int  i;

    for (i = 0; i < TORII_DNS_ROUNDS && torii_dns_waits(engine); i++) {
        torii_dns_skip(TORII_DNS_SKIP);
        (void) torii_dns_run(engine);
    }

    if (t->ack
        && dnssync_engine_ack(engine, torii_dns_now(), torii_str(""),
                              torii_str("")))
    {
        (void) torii_dns_run(engine);
    }
}


static int
torii_dns_waits(const dnssync_engine_t *engine)
{
    uint32_t          i;
    dnssync_notice_t  notice;

    for (i = 0; dnssync_engine_notice(engine, i, &notice) == TORII_OK; i++) {
        if (strcmp(notice.why, dnssync_why_word(DNSSYNC_WHY_UNCONFIRMED)) == 0
            || strcmp(notice.why, dnssync_why_word(DNSSYNC_WHY_LEADER)) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* For once: what is planned then are these records only. */

static int
torii_dns_adopt(torii_dns_t *t, dnssync_engine_t *engine)
{
    if (t->adopt.from.len == 0 && !t->adopt.unowned) {
        return 0;
    }

    (void) dnssync_engine_adopt(engine, torii_dns_now(), torii_str(""),
                                &t->adopt);
    (void) torii_dns_run(engine);

    return 1;
}


static int
torii_dns_apply(torii_dns_t *t, torii_dns_print_t *p)
{
    uint32_t                    i, k, bad, left;
    uint64_t                    done[DNSSYNC_EDIT_DELETE + 1];
    dnssync_engine_t           *engine;
    dnssync_account_status_t    status;

    engine = torii_dns_engine(t, 0, &bad);
    if (engine == NULL) {
        return TORII_DNS_ERROR;
    }

    torii_dns_confirm(t, engine);
    (void) torii_dns_adopt(t, engine);

    memset(done, 0, sizeof(done));
    left = 0;
    p->held = 0;
    p->errors = bad;

    for (i = 0;
         dnssync_engine_account_status(engine, i, &status) == TORII_OK;
         i++)
    {
        for (k = 0; k <= DNSSYNC_EDIT_DELETE; k++) {
            done[k] += status.edits[k];
        }
    }

    dnssync_engine_edits(engine, torii_dns_left, &left);
    torii_dns_count(p, engine);

    dnssync_engine_free(engine);

    fprintf(stderr, "%llu created, %llu changed, %llu adopted, %llu deleted; "
            "%u not done, %u held, %u error%s\n",
            (unsigned long long) done[DNSSYNC_EDIT_CREATE],
            (unsigned long long) done[DNSSYNC_EDIT_CHANGE],
            (unsigned long long) done[DNSSYNC_EDIT_ADOPT],
            (unsigned long long) done[DNSSYNC_EDIT_DELETE],
            left, p->held, p->errors, p->errors == 1 ? "" : "s");

    if (p->json) {
        torii_buf_printf(&p->out, ",\n\"done\":{\"create\":%llu,\"change\":"
                         "%llu,\"adopt\":%llu,\"delete\":%llu,\"left\":%u}",
                         (unsigned long long) done[DNSSYNC_EDIT_CREATE],
                         (unsigned long long) done[DNSSYNC_EDIT_CHANGE],
                         (unsigned long long) done[DNSSYNC_EDIT_ADOPT],
                         (unsigned long long) done[DNSSYNC_EDIT_DELETE],
                         left);
    }

    return left || p->errors ? TORII_DNS_ERROR : TORII_DNS_SAME;
}


static int
torii_dns_left(void *data, torii_str_t account, const dnssync_edit_t *edit)
{
    uint32_t *left = data;

    (*left)++;

    return 1;
}
