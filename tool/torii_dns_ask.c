
/*
 * A running gateway: what it says of DNS, and what an operator asks of it.
 */

#include "torii_dns.h"


#define TORII_DNS_WISH  1024


static const torii_node_t *torii_dns_list(const torii_node_t *doc,
    const char *name, uint32_t *n);
static torii_str_t torii_dns_text(const torii_node_t *map, const char *name);
static int torii_dns_ask_word(const char *word);


int
torii_dns_status(const torii_dns_t *t)
{
    int                  code;
    uint32_t             i, n;
    torii_buf_t          text, out;
    torii_str_t          in;
    torii_node_t        *doc;
    torii_arena_t       *a;
    torii_tree_error_t   error;
    const torii_node_t  *list, *e;

    memset(&text, 0, sizeof(text));
    memset(&out, 0, sizeof(out));

    code = torii_state_read(t->state, "table/dns.json", &text);

    if (code != TORII_EXIT_OK || t->json) {
        return code == TORII_EXIT_OK ? torii_print(&text) : TORII_DNS_ERROR;
    }

    in.data = text.data;
    in.len = text.len;
    a = torii_arena_create(65536);

    if (torii_tree_json(a, in, &torii_tree_limits, &doc, &error) != TORII_OK) {
        fprintf(stderr, "torii: dns.json: %s\n", error.text);
        torii_arena_destroy(a);
        torii_buf_free(&text);
        return TORII_DNS_ERROR;
    }

    list = torii_dns_list(doc, "accounts", &n);

    for (i = 0; i < n; i++) {
        e = list->items[i];
        torii_buf_printf(&out, "%.*s  %.*s  %.*s\n",
                         torii_str_arg(torii_dns_text(e, "name")),
                         torii_str_arg(torii_dns_text(e, "driver")),
                         torii_str_arg(torii_dns_text(e, "error")));
    }

    list = torii_dns_list(doc, "zones", &n);

    for (i = 0; i < n; i++) {
        e = list->items[i];
        torii_buf_printf(&out, "zone %.*s  %.*s  hosts %.*s  owned %.*s  "
                         "pending %.*s  held %.*s  %.*s\n",
                         torii_str_arg(torii_dns_text(e, "name")),
                         torii_str_arg(torii_dns_text(e, "state")),
                         torii_str_arg(torii_dns_text(e, "hosts")),
                         torii_str_arg(torii_dns_text(e, "owned")),
                         torii_str_arg(torii_dns_text(e, "pending")),
                         torii_str_arg(torii_dns_text(e, "held")),
                         torii_str_arg(torii_dns_text(e, "error")));
    }

    list = torii_dns_list(doc, "findings", &n);

    for (i = 0; i < n; i++) {
        e = list->items[i];
        torii_buf_printf(&out, "%.*s %.*s: %.*s\n",
                         torii_str_arg(torii_dns_text(e, "why")),
                         torii_str_arg(torii_dns_text(e, "name").len
                                       ? torii_dns_text(e, "name")
                                       : torii_dns_text(e, "zone")),
                         torii_str_arg(torii_dns_text(e, "text")));
    }

    torii_arena_destroy(a);
    torii_buf_free(&text);
    torii_dns_plain(&out);

    return torii_print(&out);
}


static const torii_node_t *
torii_dns_list(const torii_node_t *doc, const char *name, uint32_t *n)
{
    const torii_node_t  *list;

    list = torii_node_get(doc, name);

    *n = (list && list->type == TORII_NODE_LIST) ? list->n : 0;

    return list;
}


static torii_str_t
torii_dns_text(const torii_node_t *map, const char *name)
{
    const torii_node_t  *node;

    node = torii_node_get(map, name);

    return node && (node->type == TORII_NODE_STRING
                    || node->type == TORII_NODE_INT)
           ? node->text : torii_str("");
}


/* "ack [ACCOUNT [ZONE]]", "adopt ACCOUNT", "refresh" */

int
torii_dns_ask(const torii_dns_t *t, const char *verb, char **args, int n)
{
    int   i, adopt;
    char  text[TORII_DNS_WISH];

    adopt = (strcmp(verb, "adopt") == 0);

    if (n > (adopt ? 1 : strcmp(verb, "ack") == 0 ? 2 : 0)
        || (adopt && (n == 0 || (t->adopt.from.len == 0
                                 && !t->adopt.unowned))))
    {
        return torii_usage("dns", TORII_DNS_ERROR);
    }

    for (i = 0; i < n; i++) {
        if (torii_dns_ask_word(args[i]) != TORII_OK) {
            return torii_usage("dns", TORII_DNS_ERROR);
        }
    }

    if (torii_dns_ask_word((char *) t->adopt.from.data) != TORII_OK
        || torii_dns_ask_word((char *) t->adopt.host.data) != TORII_OK)
    {
        return torii_usage("dns", TORII_DNS_ERROR);
    }

    (void) snprintf(text, sizeof(text), "%s %s%s%s%s%.*s%s%.*s%s\n", verb,
                    n ? args[0] : "", n > 1 ? " " : "", n > 1 ? args[1] : "",
                    t->adopt.from.len ? " from=" : "",
                    torii_str_arg(t->adopt.from),
                    t->adopt.host.len ? " host=" : "",
                    torii_str_arg(t->adopt.host),
                    t->adopt.unowned ? " unowned" : "");

    if (torii_ask(t->state, "dns-", text) != TORII_EXIT_OK) {
        return TORII_DNS_ERROR;
    }

    printf("asked to %s; \"torii dns status\" and the error log tell what "
           "becomes of it\n", verb);

    return TORII_DNS_SAME;
}


static int
torii_dns_ask_word(const char *word)
{
    return word == NULL || (strpbrk(word, " \t\r\n") == NULL
                            && strlen(word) <= 256) ? TORII_OK : TORII_ERROR;
}
