
/*
 * torii certificates: those that the gateway gets and renews, and what an
 * operator may ask of it.
 */

#include <getopt.h>
#include <time.h>

#include "torii_tool.h"


typedef struct {
    const char    *state;
    const char    *reason;       /* of a revocation, "" not said */
    unsigned       json:1;
} torii_certificates_t;


static int torii_certificates_list(const torii_certificates_t *t);
static void torii_certificates_row(torii_buf_t *out, const torii_node_t *cert);
static torii_str_t torii_certificates_get(const torii_node_t *map,
    const char *name);
static void torii_certificates_time(const torii_node_t *map, const char *name,
    char buf[24]);
static int torii_certificates_ask(const torii_certificates_t *t,
    const char *verb, const char *what);


static const struct option  torii_certificates_long[] = {
    { "json",   no_argument,       NULL, 'j' },
    { "reason", required_argument, NULL, 'r' },
    { "state",  required_argument, NULL, 's' },
    { NULL, 0, NULL, 0 }
};


int
torii_certificates(int argc, char **argv)
{
    int                    c;
    const char            *verb;
    torii_certificates_t   t;

    memset(&t, 0, sizeof(t));
    t.state = "/var/lib/torii";
    t.reason = "";

    while ((c = getopt_long(argc, argv, "jr:s:", torii_certificates_long,
                            NULL))
           != -1)
    {
        switch (c) {

        case 'j':
            t.json = 1;
            break;

        case 'r':
            t.reason = optarg;
            break;

        case 's':
            t.state = optarg;
            break;

        default:
            return torii_usage("certificates", TORII_EXIT_USAGE);
        }
    }

    verb = optind < argc ? argv[optind] : "list";

    if (strcmp(verb, "list") == 0 && argc - optind <= 1) {
        return torii_certificates_list(&t);
    }

    if (argc - optind == 2
        && (strcmp(verb, "renew") == 0 || strcmp(verb, "revoke") == 0
            || strcmp(verb, "rollover") == 0))
    {
        return torii_certificates_ask(&t, verb, argv[optind + 1]);
    }

    return torii_usage("certificates", TORII_EXIT_USAGE);
}


static int
torii_certificates_list(const torii_certificates_t *t)
{
    int                  code;
    uint32_t             i;
    torii_buf_t          text, out;
    torii_str_t          in;
    torii_node_t        *doc, *list;
    torii_arena_t       *arena;
    torii_tree_error_t   error;

    memset(&text, 0, sizeof(text));
    memset(&out, 0, sizeof(out));

    code = torii_state_read(t->state, "table/certificates.json", &text);

    if (code != TORII_EXIT_OK) {
        torii_buf_free(&text);
        return code;
    }

    if (t->json) {
        return torii_print(&text);
    }

    in.data = text.data;
    in.len = text.len;
    arena = torii_arena_create(65536);

    if (torii_tree_json(arena, in, &torii_tree_limits, &doc, &error)
        != TORII_OK)
    {
        fprintf(stderr, "torii: certificates.json: %s\n", error.text);
        torii_arena_destroy(arena);
        torii_buf_free(&text);
        return TORII_EXIT_USAGE;
    }

    list = torii_node_get(doc, "certificates");

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n; i++) {
        torii_certificates_row(&out, list->items[i]);
    }

    if (out.len == 0) {
        torii_buf_adds(&out, "no certificate is asked for\n");
    }

    torii_arena_destroy(arena);
    torii_buf_free(&text);

    return torii_print(&out);
}


static void
torii_certificates_row(torii_buf_t *out, const torii_node_t *cert)
{
    char         until[24], renewal[24];
    torii_str_t  error;

    torii_certificates_time(cert, "notAfter", until);
    torii_certificates_time(cert, "renewal", renewal);

    torii_buf_printf(out, "%.*s/%.*s  %.*s  until %s  renewal %s  %.*s\n"
                     "    %.*s\n",
                     torii_str_arg(torii_certificates_get(cert, "namespace")),
                     torii_str_arg(torii_certificates_get(cert, "secret")),
                     torii_str_arg(torii_certificates_get(cert, "state")),
                     until, renewal,
                     torii_str_arg(torii_certificates_get(cert, "issuer")),
                     torii_str_arg(torii_certificates_get(cert, "names")));

    error = torii_certificates_get(cert, "error");

    if (error.len) {
        torii_buf_printf(out, "    %.*s\n", torii_str_arg(error));
    }
}


static torii_str_t
torii_certificates_get(const torii_node_t *map, const char *name)
{
    torii_node_t  *node;

    node = torii_node_get(map, name);

    return (node && node->type == TORII_NODE_STRING) ? node->text
                                                     : torii_str("");
}


static void
torii_certificates_time(const torii_node_t *map, const char *name,
    char buf[24])
{
    time_t         at;
    uint64_t       seconds;
    struct tm      tm;
    torii_node_t  *node;

    node = torii_node_get(map, name);
    (void) snprintf(buf, 24, "-");

    if (node && node->type == TORII_NODE_INT
        && torii_str_uint(node->text, (uint64_t) 1 << 40, &seconds)
           == TORII_OK
        && seconds)
    {
        at = seconds;

        if (gmtime_r(&at, &tm)) {
            (void) strftime(buf, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
        }
    }
}


static int
torii_certificates_ask(const torii_certificates_t *t, const char *verb,
    const char *what)
{
    char         text[1024];
    const char  *reason;

    reason = strcmp(verb, "revoke") != 0 ? ""
             : t->reason[0] ? t->reason : "0";

    if (strpbrk(what, " \t\r\n") || strlen(what) > 512 || strlen(reason) > 2) {
        return torii_usage("certificates", TORII_EXIT_USAGE);
    }

    (void) snprintf(text, sizeof(text), "%s %s %s\n", verb, what, reason);

    if (torii_ask(t->state, "", text) != TORII_EXIT_OK) {
        return TORII_EXIT_USAGE;
    }

    printf("asked to %s %s; \"torii certificates\" and the error log tell "
           "what becomes of it\n", verb, what);

    return TORII_EXIT_OK;
}
