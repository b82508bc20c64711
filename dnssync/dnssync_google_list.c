
/*
 * Zones of Google Cloud DNS and what they hold.  A zone was read whole when
 * there is no next page, and no change was made from the first one to the last.
 */

#include "dnssync_google.h"


#define DNSSYNC_GOOGLE_ROUNDS   3
#define DNSSYNC_GOOGLE_MOST     1000000
#define DNSSYNC_GOOGLE_STRANGE  "google/routing-policy"


static int dnssync_google_zone(void *data, const torii_node_t *item);
static int dnssync_google_set(void *data, const torii_node_t *item);
static void dnssync_google_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list);
static void dnssync_google_canonical(torii_buf_t *b, unsigned type,
    torii_str_t value);
static int dnssync_google_next(dnssync_op_t *op, const torii_node_t *head,
    const char *list);


void
dnssync_google_page(dnssync_op_t *op, torii_str_t name, unsigned type)
{
    torii_buf_t              b;
    torii_str_t              query;
    dnssync_google_state_t  *st;

    st = op->state;
    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_printf(&b, "?maxResults=%u", DNSSYNC_GOOGLE_PAGE);

    if (name.len) {
        torii_buf_adds(&b, "&name=");
        dnssync_url_add(&b, name);
        torii_buf_adds(&b, ".");
    }

    if (type) {
        torii_buf_printf(&b, "&type=%s", dnssync_rtype_word(type));
    }

    if (st->page.len) {
        torii_buf_printf(&b, "&pageToken=%.*s", torii_str_arg(st->page));
    }

    query.data = b.data;
    query.len = b.len;
    dnssync_google_request(op, "GET", "rrsets", query);

    torii_buf_free(&b);
}


/* In the state as it goes into a URL.  TORII_ERROR: it does not go on. */

static int
dnssync_google_next(dnssync_op_t *op, const torii_node_t *head,
    const char *list)
{
    torii_buf_t              b;
    torii_str_t              token;
    const torii_node_t      *node;
    dnssync_google_state_t  *st;

    st = op->state;
    node = torii_node_get(head, "nextPageToken");

    /* a list that is empty may be left out, if the rest is Google's */

    if (torii_node_get(head, list) == NULL
        && !torii_str_starts(dnssync_json_str(head, "kind"), "dns#"))
    {
        return TORII_ERROR;
    }

    if (node == NULL) {
        st->page = torii_str("");
        return TORII_OK;
    }

    if (node->type != TORII_NODE_STRING || node->text.len == 0) {
        return TORII_ERROR;
    }

    memset(&b, 0, sizeof(torii_buf_t));
    dnssync_url_add(&b, node->text);
    token.data = b.data;
    token.len = b.len;

    if (torii_str_eq(token, st->page)) {
        torii_buf_free(&b);
        return TORII_ERROR;
    }

    st->page = torii_arena_str(op->arena, token);
    torii_buf_free(&b);

    return TORII_OK;
}


dnssync_op_step_e
dnssync_google_zones(dnssync_op_t *op, torii_str_t body)
{
    int                      rc;
    char                     why[192];
    torii_node_t            *head;
    torii_arena_t           *a;
    dnssync_google_state_t  *st;

    st = op->state;
    a = torii_arena_create(16 * 1024);

    rc = dnssync_json_list(a, body, "managedZones", dnssync_google_zone, op,
                           &head, why);

    if (rc == TORII_OK) {
        rc = dnssync_google_next(op, head, "managedZones");
    }

    torii_arena_destroy(a);

    if (rc != TORII_OK) {
        return dnssync_google_senseless(op);
    }

    return st->page.len ? dnssync_google_go(op) : DNSSYNC_OP_DONE;
}


/* Those that only point elsewhere hold nothing. */

static int
dnssync_google_zone(void *data, const torii_node_t *item)
{
    torii_str_t       id, name;
    dnssync_op_t     *op;
    dnssync_found_t  *zone;

    op = data;

    if (torii_node_get(item, "peeringConfig") != NULL
        || torii_node_get(item, "forwardingConfig") != NULL
        || torii_node_get(item, "serviceDirectoryConfig") != NULL)
    {
        return TORII_OK;
    }

    id = dnssync_json_str(item, "name");

    if (!dnssync_cloud_printable(id) || op->nzones == DNSSYNC_ZONES_MAX
        || dnssync_record_read(op->arena, dnssync_json_str(item, "dnsName"),
                               &name) != TORII_OK)
    {
        return TORII_DECLINED;
    }

    zone = dnssync_op_zone(op);

    zone->id = torii_arena_str(op->arena, id);
    zone->name = name;
    zone->private = torii_str_eqs(dnssync_json_str(item, "visibility"),
                                  "private");

    return TORII_OK;
}


/* The zone's last change is its version. */

dnssync_op_step_e
dnssync_google_head(dnssync_op_t *op, torii_str_t body)
{
    torii_str_t              id, version;
    torii_node_t            *list;
    torii_arena_t           *a;
    dnssync_google_state_t  *st;

    st = op->state;
    a = torii_arena_create(16 * 1024);

    list = torii_node_get(dnssync_http_json(a, body), "changes");
    id = torii_str("");

    if (list != NULL && list->type == TORII_NODE_LIST && list->n) {
        id = dnssync_json_str(list->items[0], "id");
    }

    version = torii_arena_printf(op->arena, "change=%.*s", torii_str_arg(id));
    torii_arena_destroy(a);

    if (id.len == 0) {
        return dnssync_google_senseless(op);
    }

    if (st->phase == DNSSYNC_GOOGLE_AGAIN) {

        if (torii_str_eq(version, op->next)) {
            return DNSSYNC_OP_DONE;
        }

        if (++st->rounds == DNSSYNC_GOOGLE_ROUNDS) {
            return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: it was "
                                   "changed each time while it was read",
                                   dnssync_cloud_where(op));
        }
    }

    op->next = version;
    op->same = torii_str_eq(version, op->version);

    if (op->same || op->what == DNSSYNC_OP_PROBE) {
        return DNSSYNC_OP_DONE;
    }

    op->nsets = 0;
    st->page = torii_str("");
    st->phase = DNSSYNC_GOOGLE_SETS;

    return dnssync_google_go(op);
}


dnssync_op_step_e
dnssync_google_list(dnssync_op_t *op, torii_str_t body)
{
    uint32_t                 n;
    dnssync_google_state_t  *st;

    st = op->state;
    n = op->nsets;

    if (dnssync_google_sets(op, body) != TORII_OK || op->nsets == n
        || op->nsets > DNSSYNC_GOOGLE_MOST)
    {
        return dnssync_google_senseless(op);
    }

    if (st->page.len == 0) {

        /* SOA and NS are in each zone */

        if (op->nsets < 2) {
            return dnssync_google_senseless(op);
        }

        st->phase = DNSSYNC_GOOGLE_AGAIN;
    }

    return dnssync_google_go(op);
}


int
dnssync_google_sets(dnssync_op_t *op, torii_str_t body)
{
    int             rc;
    char            why[192];
    torii_node_t   *head;
    torii_arena_t  *a;

    a = torii_arena_create(64 * 1024);

    rc = dnssync_json_list(a, body, "rrsets", dnssync_google_set, op, &head,
                           why);

    if (rc == TORII_OK) {
        rc = dnssync_google_next(op, head, "rrsets");
    }

    torii_arena_destroy(a);

    return rc;
}


static int
dnssync_google_set(void *data, const torii_node_t *item)
{
    uint64_t          ttl;
    torii_str_t       name;
    dnssync_op_t     *op;
    dnssync_rrset_t  *set;

    op = data;

    if (dnssync_record_read(op->arena, dnssync_json_str(item, "name"), &name)
        != TORII_OK
        || dnssync_json_str(item, "type").len == 0
        || dnssync_json_uint(item, "ttl", UINT32_MAX, &ttl) != TORII_OK)
    {
        return TORII_DECLINED;
    }

    set = dnssync_op_set(op);

    set->name = name;
    set->type = dnssync_rtype_read(dnssync_json_str(item, "type"));
    set->ttl = ttl;

    dnssync_google_values(op, set, torii_node_get(item, "rrdatas"));

    if (set->n == 0 || torii_node_get(item, "routingPolicy") != NULL) {
        set->options = torii_arena_alloc(op->arena, sizeof(dnssync_option_t));
        set->options->name = torii_str(DNSSYNC_GOOGLE_STRANGE);
        set->options->value = torii_str("true");
        set->noptions = 1;
    }

    return TORII_OK;
}


/* A deletion has to repeat them: if they are not as we write them, set->id
   keeps them, one a line. */

static void
dnssync_google_values(dnssync_op_t *op, dnssync_rrset_t *set,
    const torii_node_t *list)
{
    int           rc;
    uint32_t      i;
    torii_buf_t   raw, ours;
    torii_str_t   s, value;

    if (list == NULL || list->type != TORII_NODE_LIST || list->n == 0) {
        return;
    }

    memset(&raw, 0, sizeof(torii_buf_t));
    memset(&ours, 0, sizeof(torii_buf_t));
    set->values = torii_arena_alloc(op->arena, list->n * sizeof(torii_str_t));

    for (i = 0; i < list->n; i++) {
        s = list->items[i]->text;
        rc = TORII_ERROR;

        if (set->type == DNSSYNC_TXT) {
            rc = dnssync_txt_read(op->arena, s, &value);

        } else if (dnssync_type_mask(set->type)) {
            rc = dnssync_value_read(op->arena, set->type, s, &value);
        }

        set->values[set->n++] = (rc == TORII_OK)
                                ? value : torii_arena_str(op->arena, s);

        torii_buf_add_str(&raw, s);
        torii_buf_adds(&raw, "\n");
        dnssync_google_canonical(&ours, set->type, set->values[i]);
        torii_buf_adds(&ours, "\n");
    }

    if (raw.len != ours.len || memcmp(raw.data, ours.data, raw.len) != 0) {
        s.data = raw.data;
        s.len = raw.len - 1;
        set->id = torii_arena_str(op->arena, s);
    }

    torii_buf_free(&raw);
    torii_buf_free(&ours);
}


static void
dnssync_google_canonical(torii_buf_t *b, unsigned type, torii_str_t value)
{
    if (type == DNSSYNC_TXT) {
        dnssync_txt_write(b, value);
        return;
    }

    torii_buf_add_str(b, value);

    if (type == DNSSYNC_CNAME) {
        torii_buf_adds(b, ".");
    }
}


void
dnssync_google_set_write(torii_buf_t *b, const dnssync_rrset_t *set,
    const dnssync_rrset_t *before)
{
    uint32_t     i, j;
    torii_buf_t  value;
    torii_str_t  s, rest, line;

    memset(&value, 0, sizeof(torii_buf_t));

    torii_buf_adds(b, "{\"name\":");
    torii_buf_add_str(&value, set->name);
    torii_buf_adds(&value, ".");
    s.data = value.data;
    s.len = value.len;
    torii_buf_add_json(b, s);
    torii_buf_printf(b, ",\"type\":\"%s\",\"ttl\":%u,\"rrdatas\":[",
                     dnssync_rtype_word(set->type), (unsigned) set->ttl);

    for (i = 0; i < set->n; i++) {
        value.len = 0;
        dnssync_google_canonical(&value, set->type, set->values[i]);
        s.data = value.data;
        s.len = value.len;

        rest = before ? before->id : torii_str("");

        for (j = 0; rest.len && j < before->n
                    && torii_str_next(&rest, "\n", &line); j++)
        {
            if (torii_str_eq(before->values[j], set->values[i])) {
                s = line;
                break;
            }
        }

        torii_buf_adds(b, i ? "," : "");
        torii_buf_add_json(b, s);
    }

    torii_buf_adds(b, "]}");
    torii_buf_free(&value);
}


int
dnssync_google_set_strange(const dnssync_rrset_t *set)
{
    uint32_t  i;

    for (i = 0; i < set->noptions; i++) {
        if (torii_str_eqs(set->options[i].name, DNSSYNC_GOOGLE_STRANGE)) {
            return 1;
        }
    }

    return dnssync_rtype_word(set->type) == NULL;
}
