
/*
 * PowerDNS's HTTP API, version 1.  A zone comes in one answer, which is whole
 * if it is JSON and has the SOA; a PATCH is done as a whole or not at all, and
 * is halved when the server refuses it, until the one that it refuses is alone.
 * What must hold is read before: the API has no conditions.
 */

#include <stdio.h>

#include "dnssync_check.h"
#include "dnssync_powerdns.h"


#define DNSSYNC_POWERDNS_URL    "http://localhost:8081"


static dnssync_op_step_e dnssync_powerdns_zones(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static int dnssync_powerdns_zone(void *data, const torii_node_t *item);
static dnssync_op_step_e dnssync_powerdns_probe(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_powerdns_list(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static torii_str_t dnssync_powerdns_version(dnssync_op_t *op,
    const torii_node_t *head);
static dnssync_op_step_e dnssync_powerdns_challenge(dnssync_op_t *op,
    const dnssync_answer_t *answer);


static const dnssync_setting_t  dnssync_powerdns_settings[] = {
    { "pdns-server", "URL of the server's API, default "
      DNSSYNC_POWERDNS_URL, 0, 0 },
    { "pdns-server-id", "its id there, default localhost", 0, 0 },
    { "pdns-api-key", "the key that the API wants", 1, 1 },
    { NULL, NULL, 0, 0 }
};


static const char *
dnssync_powerdns_init(dnssync_account_t *account)
{
    const char          *why;
    torii_str_t          url, id;
    dnssync_powerdns_t  *p;

    p = torii_arena_zalloc(account->arena, sizeof(dnssync_powerdns_t));

    why = dnssync_account_url(account, "pdns-server", DNSSYNC_POWERDNS_URL, 1,
                              &url);
    if (why != NULL) {
        return why;
    }

    id = dnssync_account_setting(account, "pdns-server-id");

    if (id.len == 0) {
        id = torii_str("localhost");
    }

    if (!dnssync_http_id(id)) {
        return "pdns-server-id has a character that no id has";
    }

    p->base = torii_arena_printf(account->arena,
                                 "%.*s/api/v1/servers/%.*s/zones",
                                 torii_str_arg(url), torii_str_arg(id));
    p->key = dnssync_account_setting(account, "pdns-api-key");

    account->data = p;

    return NULL;
}


static dnssync_op_step_e
dnssync_powerdns_go(dnssync_op_t *op)
{
    dnssync_powerdns_state_t  *st;

    static const torii_str_t  none = torii_null_string;

    st = op->state;

    if (op->what == DNSSYNC_OP_ZONES) {
        return dnssync_powerdns_get(op, "", none, NULL);
    }

    if (!dnssync_http_id(op->zone.id)) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "\"%.*s\" is no "
                               "id of a zone", torii_str_arg(op->zone.id));
    }

    switch (op->what) {

    case DNSSYNC_OP_PROBE:
        return dnssync_powerdns_get(op, "?rrsets=false", none, NULL);

    case DNSSYNC_OP_LIST:
        return dnssync_powerdns_get(op, "", none, NULL);

    case DNSSYNC_OP_APPLY:
        st->limit = DNSSYNC_POWERDNS_EDITS;
        return dnssync_powerdns_batch(op);

    case DNSSYNC_OP_CHALLENGE:
        return dnssync_powerdns_get(op, "", op->name, "TXT");

    default:
        return dnssync_op_unsupported(op);
    }
}


static dnssync_op_step_e
dnssync_powerdns_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        return dnssync_powerdns_zones(op, answer);

    case DNSSYNC_OP_PROBE:
        return dnssync_powerdns_probe(op, answer);

    case DNSSYNC_OP_LIST:
        return dnssync_powerdns_list(op, answer);

    case DNSSYNC_OP_APPLY:
        return dnssync_powerdns_applied(op, answer);

    default:
        return dnssync_powerdns_challenge(op, answer);
    }
}


void
dnssync_powerdns_request(dnssync_op_t *op, const char *method,
    const char *query)
{
    const char          *slash;
    torii_str_t          id;
    dnssync_powerdns_t  *p;

    p = op->account->data;

    id = (op->what == DNSSYNC_OP_ZONES) ? torii_str("") : op->zone.id;
    slash = id.len ? "/" : "";

    (void) dnssync_op_http(op, method, "%.*s%s%.*s%s", torii_str_arg(p->base),
                           slash, torii_str_arg(id), query);

    dnssync_op_header(op, "X-API-Key: %.*s", torii_str_arg(p->key));
    dnssync_op_header(op, "Accept: application/json");
}


/* The zones, a zone, or the sets at one name in it. */

dnssync_op_step_e
dnssync_powerdns_get(dnssync_op_t *op, const char *query, torii_str_t name,
    const char *type)
{
    torii_buf_t  b;

    memset(&b, 0, sizeof(torii_buf_t));

    torii_buf_adds(&b, query);

    if (name.len) {
        torii_buf_adds(&b, "?rrset_name=");
        dnssync_url_add(&b, name);
        torii_buf_adds(&b, ".");
    }

    if (type != NULL) {
        torii_buf_printf(&b, "&rrset_type=%s", type);
    }

    torii_buf_add(&b, "", 1);
    dnssync_powerdns_request(op, "GET", (char *) b.data);
    torii_buf_free(&b);

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_powerdns_zones(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    char           why[192];
    torii_node_t  *head;

    if (answer->status != 200) {
        return dnssync_op_fail_http(op, answer, "listing the zones");
    }

    if (dnssync_json_list(op->arena, answer->body, NULL,
                          dnssync_powerdns_zone, op, &head, why)
        != TORII_OK || head->type != TORII_NODE_LIST)
    {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "listing the "
                               "zones: the answer is no list of zones");
    }

    return DNSSYNC_OP_DONE;
}


/* A secondary takes no changes. */

static int
dnssync_powerdns_zone(void *data, const torii_node_t *item)
{
    size_t            i;
    torii_str_t       id, kind, name;
    dnssync_op_t     *op;
    dnssync_found_t  *zone;

    static const char *const  kinds[] = {
        "Slave", "Secondary", "Consumer"
    };

    op = data;
    id = dnssync_json_str(item, "id");
    kind = dnssync_json_str(item, "kind");

    if (!dnssync_http_id(id) || op->nzones == DNSSYNC_ZONES_MAX
        || dnssync_record_read(op->arena, dnssync_json_str(item, "name"),
                               &name)
           != TORII_OK)
    {
        return TORII_ERROR;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (torii_str_caseeqs(kind, kinds[i])) {
            return TORII_OK;
        }
    }

    zone = dnssync_op_zone(op);

    zone->id = torii_arena_str(op->arena, id);
    zone->name = name;

    return TORII_OK;
}


static dnssync_op_step_e
dnssync_powerdns_probe(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    torii_node_t  *head;

    if (answer->status != 200) {
        return dnssync_powerdns_failed(op, answer, "asking for the serial of");
    }

    head = dnssync_http_json(op->arena, answer->body);

    if (!dnssync_powerdns_head(op, head)) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "asking for the "
                               "serial of %.*s: the answer is no zone",
                               torii_str_arg(op->zone.name));
    }

    op->next = dnssync_powerdns_version(op, head);
    op->same = op->next.len && torii_str_eq(op->next, op->version);

    return DNSSYNC_OP_DONE;
}


/* The serial moves with each change only where the API is told to do so. */

static torii_str_t
dnssync_powerdns_version(dnssync_op_t *op, const torii_node_t *head)
{
    torii_str_t  serial;

    serial = dnssync_json_str(head, "edited_serial");

    if (dnssync_json_str(head, "soa_edit_api").len == 0 || serial.len == 0) {
        return torii_str("");
    }

    return torii_arena_str(op->arena, serial);
}


static dnssync_op_step_e
dnssync_powerdns_list(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char                *why;
    const torii_node_t        *head;
    dnssync_powerdns_state_t  *st;

    st = op->state;

    if (answer->status != 200) {
        return dnssync_powerdns_failed(op, answer, "listing");
    }

    why = dnssync_powerdns_read(op, &st->check.map, answer->body, &head);

    if (why == NULL
        && dnssync_map_get(&st->check.map, op->zone.name, DNSSYNC_SOA)
           == NULL)
    {
        why = "there is no SOA in it, hence it is not whole";
    }

    if (why != NULL) {
        op->nsets = 0;
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "listing %.*s: %s",
                               torii_str_arg(op->zone.name), why);
    }

    op->next = dnssync_powerdns_version(op, head);

    return DNSSYNC_OP_DONE;
}


/* First what there is, then, if that is another thing, what is to be there. */

static dnssync_op_step_e
dnssync_powerdns_challenge(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    const char                *why;
    torii_buf_t               *b;
    const torii_node_t        *head;
    dnssync_map_entry_t       *e;
    dnssync_powerdns_state_t  *st;

    st = op->state;

    if (st->patching) {
        return dnssync_http_ok(answer)
               ? DNSSYNC_OP_DONE
               : dnssync_powerdns_failed(op, answer, "changing");
    }

    if (answer->status != 200) {
        return dnssync_powerdns_failed(op, answer, "looking at");
    }

    why = dnssync_powerdns_read(op, &st->check.map, answer->body, &head);

    if (why != NULL) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "looking at %.*s: "
                               "%s", torii_str_arg(op->name), why);
    }

    e = dnssync_map_get(&st->check.map, op->name, DNSSYNC_TXT);

    dnssync_powerdns_request(op, "PATCH", "");
    dnssync_op_header(op, "Content-Type: application/json");

    b = dnssync_op_body(op);
    torii_buf_adds(b, "{\"rrsets\":[");

    if (!dnssync_powerdns_text(b, op, e ? &op->sets[e->number] : NULL)) {
        return DNSSYNC_OP_DONE;
    }

    torii_buf_adds(b, "]}");
    st->patching = 1;

    return dnssync_op_send(op);
}


dnssync_op_step_e
dnssync_powerdns_failed(dnssync_op_t *op, const dnssync_answer_t *answer,
    const char *what)
{
    torii_str_t  where;

    where = torii_arena_printf(op->arena, "%s the zone %.*s", what,
                               torii_str_arg(op->zone.name));

    return dnssync_op_fail_http(op, answer, (char *) where.data);
}


const dnssync_driver_t  dnssync_powerdns_driver = {
    .name = "powerdns",
    .settings = dnssync_powerdns_settings,
    .provider = { .tag_max = 1024, .no_star = 1 },
    .at_once = 4,
    .init = dnssync_powerdns_init,
    .go = dnssync_powerdns_go,
    .answer = dnssync_powerdns_answer,
    .state = sizeof(dnssync_powerdns_state_t)
};
