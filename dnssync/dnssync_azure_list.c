
/*
 * Zones of Azure DNS and what they hold.  A zone was read whole when there is
 * no next page and there are as many sets as the zone itself counts.
 */

#include "dnssync_azure.h"


#define DNSSYNC_AZURE_ROUNDS  3
#define DNSSYNC_AZURE_MOST    1000000


static int dnssync_azure_next(dnssync_op_t *op, const torii_node_t *head);
static int dnssync_azure_zone(void *data, const torii_node_t *item);
static int dnssync_azure_set(void *data, const torii_node_t *item);
static dnssync_op_step_e dnssync_azure_over(dnssync_op_t *op);


void
dnssync_azure_request(dnssync_op_t *op, const char *method, torii_str_t path,
    uint32_t cost)
{
    const dnssync_azure_t  *data;

    data = op->account->data;

    (void) dnssync_op_http(op, method, "%.*s%.*s%.*s?api-version=%s",
                           torii_str_arg(data->url),
                           torii_str_arg(data->zones), torii_str_arg(path),
                           data->private ? "2020-06-01" : "2018-05-01");
    dnssync_op_header(op, "Authorization: Bearer %.*s",
                      torii_str_arg(op->account->token));
    op->request.cost = cost;
}


/* ".../a.example/A/www", "@" for the zone itself. */

void
dnssync_azure_set_request(dnssync_op_t *op, const char *method,
    torii_str_t name, unsigned type, uint32_t cost)
{
    torii_buf_t  b;
    torii_str_t  path;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, "/");
    dnssync_url_add(&b, op->zone.id);
    torii_buf_printf(&b, "/%s/", dnssync_rtype_word(type));

    if (torii_str_eq(name, op->zone.name)) {
        name = torii_str("@");

    } else if (name.len > op->zone.name.len + 1) {
        name.len -= op->zone.name.len + 1;
    }

    dnssync_url_add(&b, name);

    path.data = b.data;
    path.len = b.len;
    dnssync_azure_request(op, method, path, cost);

    torii_buf_free(&b);
}


/* The link has to stay where the token belongs. */

static int
dnssync_azure_next(dnssync_op_t *op, const torii_node_t *head)
{
    torii_str_t             link;
    const dnssync_azure_t  *data;
    dnssync_azure_state_t  *st;

    st = op->state;
    data = op->account->data;
    link = dnssync_json_str(head, "nextLink");

    if (torii_node_get(head, "value") == NULL) {
        return TORII_ERROR;
    }

    if (link.len == 0) {
        st->link = torii_str("");
        return (torii_node_get(head, "nextLink") == NULL
                || torii_node_get(head, "nextLink")->type == TORII_NODE_NULL
                || torii_node_get(head, "nextLink")->type
                   == TORII_NODE_STRING) ? TORII_OK : TORII_ERROR;
    }

    if (link.len <= data->url.len || link.len > 8192
        || memcmp(link.data, data->url.data, data->url.len) != 0
        || link.data[data->url.len] != '/' || !dnssync_cloud_printable(link)
        || torii_str_eq(link, st->link))
    {
        return TORII_ERROR;
    }

    st->link = torii_arena_str(op->arena, link);

    return TORII_OK;
}


dnssync_op_step_e
dnssync_azure_zones(dnssync_op_t *op, torii_str_t body)
{
    int                     rc;
    char                    why[192];
    torii_node_t           *head;
    torii_arena_t          *a;
    dnssync_azure_state_t  *st;

    st = op->state;
    a = torii_arena_create(16 * 1024);

    rc = dnssync_json_list(a, body, "value", dnssync_azure_zone, op, &head,
                           why);

    if (rc == TORII_OK) {
        rc = dnssync_azure_next(op, head);
    }

    torii_arena_destroy(a);

    if (rc != TORII_OK) {
        return dnssync_azure_senseless(op);
    }

    return st->link.len ? dnssync_azure_go(op) : DNSSYNC_OP_DONE;
}


static int
dnssync_azure_zone(void *data, const torii_node_t *item)
{
    uint64_t                n;
    torii_str_t             id, name;
    dnssync_op_t           *op;
    dnssync_found_t        *zone;
    const torii_node_t     *p;
    const dnssync_azure_t  *azure;

    op = data;
    azure = op->account->data;
    id = dnssync_json_str(item, "name");
    p = torii_node_get(item, "properties");

    if (!dnssync_cloud_printable(id) || op->nzones == DNSSYNC_ZONES_MAX
        || dnssync_record_read(op->arena, id, &name) != TORII_OK)
    {
        return TORII_DECLINED;
    }

    zone = dnssync_op_zone(op);

    zone->id = torii_arena_str(op->arena, id);
    zone->name = name;
    zone->private = azure->private
                    || torii_str_caseeqs(dnssync_json_str(p, "zoneType"),
                                         "Private");

    if (dnssync_json_uint(p, "numberOfRecordSets", UINT32_MAX, &n)
        == TORII_OK)
    {
        zone->sets = n;
    }

    return TORII_OK;
}


dnssync_op_step_e
dnssync_azure_count(dnssync_op_t *op, torii_str_t body)
{
    uint64_t                n;
    torii_str_t             etag;
    torii_node_t           *doc;
    torii_arena_t          *a;
    dnssync_azure_state_t  *st;

    st = op->state;
    a = torii_arena_create(4096);
    doc = dnssync_http_json(a, body);
    etag = dnssync_json_str(doc, "etag");

    if (dnssync_json_uint(torii_node_get(doc, "properties"),
                          "numberOfRecordSets", DNSSYNC_AZURE_MOST, &n)
        != TORII_OK)
    {
        torii_arena_destroy(a);
        return dnssync_azure_senseless(op);
    }

    st->count = n;
    op->next = torii_arena_printf(op->arena, "sets=%u %.*s", (unsigned) n,
                                  torii_str_arg(etag));
    torii_arena_destroy(a);

    if (op->what == DNSSYNC_OP_PROBE) {
        op->same = torii_str_eq(op->next, op->version);
        return DNSSYNC_OP_DONE;
    }

    if (st->phase == DNSSYNC_AZURE_AGAIN) {
        return dnssync_azure_over(op);
    }

    st->phase = DNSSYNC_AZURE_SETS;

    return dnssync_azure_go(op);
}


/* Once more from the beginning, but not for ever. */

static dnssync_op_step_e
dnssync_azure_over(dnssync_op_t *op)
{
    dnssync_azure_state_t  *st;

    st = op->state;

    if (op->nsets == st->count) {
        return DNSSYNC_OP_DONE;
    }

    if (++st->rounds == DNSSYNC_AZURE_ROUNDS) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "%s: %u sets were "
                               "read, and it says that it has %u; perhaps it "
                               "is being changed", dnssync_cloud_where(op),
                               (unsigned) op->nsets, (unsigned) st->count);
    }

    op->nsets = 0;
    st->phase = DNSSYNC_AZURE_SETS;

    return dnssync_azure_go(op);
}


dnssync_op_step_e
dnssync_azure_list(dnssync_op_t *op, torii_str_t body)
{
    int                     rc;
    char                    why[192];
    torii_node_t           *head;
    torii_arena_t          *a;
    dnssync_azure_state_t  *st;

    st = op->state;
    a = torii_arena_create(64 * 1024);

    rc = dnssync_json_list(a, body, "value", dnssync_azure_set, op, &head,
                           why);

    if (rc == TORII_OK) {
        rc = dnssync_azure_next(op, head);
    }

    torii_arena_destroy(a);

    if (rc != TORII_OK || op->nsets > DNSSYNC_AZURE_MOST) {
        return dnssync_azure_senseless(op);
    }

    if (st->link.len == 0) {
        if (op->nsets == st->count) {
            return DNSSYNC_OP_DONE;
        }

        st->phase = DNSSYNC_AZURE_AGAIN;
    }

    return dnssync_azure_go(op);
}


static int
dnssync_azure_set(void *data, const torii_node_t *item)
{
    return dnssync_azure_set_read(data, item, dnssync_op_set(data))
           == TORII_OK ? TORII_OK : TORII_DECLINED;
}
