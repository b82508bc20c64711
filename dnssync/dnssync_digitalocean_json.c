
/*
 * Records as DigitalOcean has them, by names relative to the zone; and the
 * order in which those of one edit change, since each takes a request: what
 * tells the owner comes before what it tells of, and goes after it.
 */

#include <stdio.h>

#include "dnssync_digitalocean.h"


#define DNSSYNC_DIGITALOCEAN_STEPS  8


typedef struct {
    dnssync_op_t      *op;
    const char        *why;
} dnssync_digitalocean_visit_t;


static int dnssync_digitalocean_item(void *data, const torii_node_t *item);
static const char *dnssync_digitalocean_record(dnssync_op_t *op,
    const torii_node_t *item);
static torii_str_t dnssync_digitalocean_value(dnssync_op_t *op, unsigned type,
    torii_str_t data);
static void dnssync_digitalocean_part(dnssync_op_t *op,
    const dnssync_part_t *part);
static int dnssync_digitalocean_has(const dnssync_rrset_t *set,
    torii_str_t value);


const char *
dnssync_digitalocean_page(dnssync_op_t *op, torii_str_t body, int *more)
{
    char                           why[192];
    uint64_t                       total, before;
    const char                    *name;
    torii_node_t                  *head;
    const torii_node_t            *list;
    dnssync_digitalocean_state_t  *st;
    dnssync_digitalocean_visit_t   visit;

    st = op->state;
    visit.op = op;
    visit.why = NULL;

    before = st->pages.count;
    name = (op->what == DNSSYNC_OP_ZONES) ? "domains" : "domain_records";

    if (dnssync_json_list(op->arena, body, name, dnssync_digitalocean_item,
                          &visit, &head, why)
        != TORII_OK)
    {
        return visit.why ? visit.why : "the answer is no JSON, or not whole";
    }

    list = torii_node_get(head, name);

    if (list == NULL || list->type != TORII_NODE_LIST
        || dnssync_json_uint(torii_node_get(head, "meta"), "total",
                             UINT32_MAX, &total)
           != TORII_OK)
    {
        return "the answer does not tell how many there are";
    }

    return dnssync_pages_end(&st->pages, before, total, more);
}


static int
dnssync_digitalocean_item(void *data, const torii_node_t *item)
{
    torii_str_t                    id, name;
    dnssync_op_t                  *op;
    dnssync_found_t               *zone;
    dnssync_digitalocean_state_t  *st;
    dnssync_digitalocean_visit_t  *visit;

    visit = data;
    op = visit->op;
    st = op->state;

    id = dnssync_json_str(item, op->what == DNSSYNC_OP_ZONES ? "name" : "id");

    if (!dnssync_http_id(id)) {
        visit->why = "an element of the list has no id";
        return TORII_ERROR;
    }

    if (dnssync_pages_add(op, &st->pages, id) != TORII_OK) {
        visit->why = "an element of the list comes twice";
        return TORII_ERROR;
    }

    if (op->what != DNSSYNC_OP_ZONES) {
        visit->why = dnssync_digitalocean_record(op, item);
        return visit->why ? TORII_ERROR : TORII_OK;
    }

    if (dnssync_record_read(op->arena, id, &name) != TORII_OK
        || op->nzones == DNSSYNC_ZONES_MAX)
    {
        visit->why = "a domain in the answer is none";
        return TORII_ERROR;
    }

    zone = dnssync_op_zone(op);

    zone->id = torii_arena_str(op->arena, id);
    zone->name = name;

    return TORII_OK;
}


static const char *
dnssync_digitalocean_record(dnssync_op_t *op, const torii_node_t *item)
{
    uint64_t                       ttl;
    unsigned                       type;
    torii_str_t                    name, value;
    dnssync_rrset_t               *set;
    const torii_node_t            *data;
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    name = dnssync_json_str(item, "name");
    data = torii_node_get(item, "data");

    if (name.len == 0 || dnssync_json_str(item, "type").len == 0) {
        return "a record in the answer is none";
    }

    name = torii_str_eqs(name, "@")
           ? op->zone.name
           : torii_arena_printf(op->arena, "%.*s.%.*s", torii_str_arg(name),
                                torii_str_arg(op->zone.name));

    if (dnssync_record_read(op->arena, name, &name) != TORII_OK) {
        return "a record in the answer has no name";
    }

    if (dnssync_json_uint(item, "ttl", UINT32_MAX, &ttl) != TORII_OK) {
        ttl = 0;
    }

    type = dnssync_rtype_read(dnssync_json_str(item, "type"));
    set = dnssync_gather(op, &st->check.map, name, type);

    if (set->n == 0) {
        set->ttl = (uint32_t) ttl;
    }

    if (dnssync_type_mask(type) == 0 && type != DNSSYNC_TXT) {
        return NULL;
    }

    if (data == NULL || data->type != TORII_NODE_STRING) {
        return "a record in the answer has no data";
    }

    value = dnssync_digitalocean_value(op, type, data->text);

    return dnssync_gather_value(op, set, value, dnssync_json_str(item, "id"))
           == TORII_OK
           ? NULL : "a name has too many records";
}


static torii_str_t
dnssync_digitalocean_value(dnssync_op_t *op, unsigned type, torii_str_t data)
{
    if (type == DNSSYNC_CNAME && torii_str_eqs(data, "@")) {
        return op->zone.name;
    }

    return dnssync_record_value(op->arena, type, data);
}


int
dnssync_digitalocean_steps(dnssync_op_t *op, const dnssync_edit_t *edit)
{
    unsigned                       pass;
    uint32_t                       i, j;
    const dnssync_part_t          *part;
    const dnssync_rrset_t         *set;
    dnssync_digitalocean_state_t  *st;

    st = op->state;
    st->nsteps = 0;
    st->step = 0;

    for (i = 0; i < edit->nparts; i++) {
        set = edit->parts[i].before;

        for (j = 0; set != NULL && j < set->n; j++) {
            if (dnssync_gather_id(set, j).len == 0) {
                return TORII_DECLINED;
            }
        }
    }

    for (pass = 0; pass < 4; pass++) {

        for (i = 0; i < edit->nparts; i++) {
            part = &edit->parts[i];
            set = part->after ? part->after : part->before;

            /* hosts go, marks come, hosts come, marks go */

            if ((set->type == DNSSYNC_TXT) == (pass == 1 || pass == 3)
                && (part->after == NULL) == (pass == 0 || pass == 3))
            {
                dnssync_digitalocean_part(op, part);
            }
        }
    }

    return TORII_OK;
}


/* A value that goes gives its record to one that comes. */

static void
dnssync_digitalocean_part(dnssync_op_t *op, const dnssync_part_t *part)
{
    uint32_t                i, k, n;
    torii_str_t             id, value;
    const dnssync_rrset_t  *before, *after;

    before = part->before;
    after = part->after;
    n = after ? after->n : 0;

    for (i = 0, k = 0; before != NULL && i < before->n; i++) {
        id = dnssync_gather_id(before, i);
        value = before->values[i];

        if (after != NULL && dnssync_digitalocean_has(after, value)) {

            if (before->ttl != after->ttl) {
                dnssync_digitalocean_add(op, "PUT", id, after, value);
            }

            continue;
        }

        while (k < n && dnssync_digitalocean_has(before, after->values[k])) {
            k++;
        }

        if (k < n) {
            dnssync_digitalocean_add(op, "PUT", id, after, after->values[k++]);

        } else {
            dnssync_digitalocean_add(op, "DELETE", id, NULL, value);
        }
    }

    for ( /* void */ ; k < n; k++) {
        if (before == NULL
            || !dnssync_digitalocean_has(before, after->values[k]))
        {
            dnssync_digitalocean_add(op, "POST", torii_str(""), after,
                                     after->values[k]);
        }
    }
}


static int
dnssync_digitalocean_has(const dnssync_rrset_t *set, torii_str_t value)
{
    uint32_t  i;

    for (i = 0; i < set->n; i++) {
        if (torii_str_eq(set->values[i], value)) {
            return 1;
        }
    }

    return 0;
}


void
dnssync_digitalocean_add(dnssync_op_t *op, const char *method, torii_str_t id,
    const dnssync_rrset_t *set, torii_str_t value)
{
    dnssync_digitalocean_step_t   *step, *more;
    dnssync_digitalocean_state_t  *st;

    st = op->state;

    if (st->nsteps % DNSSYNC_DIGITALOCEAN_STEPS == 0) {
        more = torii_arena_alloc(op->arena,
                                 (st->nsteps + DNSSYNC_DIGITALOCEAN_STEPS)
                                 * sizeof(dnssync_digitalocean_step_t));
        if (st->nsteps) {
            memcpy(more, st->steps, st->nsteps
                                    * sizeof(dnssync_digitalocean_step_t));
        }

        st->steps = more;
    }

    step = &st->steps[st->nsteps++];

    step->method = method;
    step->id = id;
    step->set = set;
    step->value = value;
}


void
dnssync_digitalocean_body(dnssync_op_t *op,
    const dnssync_digitalocean_step_t *step)
{
    torii_str_t   name;
    torii_buf_t  *b;

    if (step->set == NULL) {
        return;
    }

    b = dnssync_op_body(op);
    name = step->set->name;

    if (name.len > op->zone.name.len) {
        name.len -= op->zone.name.len + 1;

    } else {
        name = torii_str("@");
    }

    torii_buf_printf(b, "{\"type\":\"%s\",\"name\":",
                     dnssync_rtype_word(step->set->type));
    torii_buf_add_json(b, name);
    torii_buf_adds(b, ",\"data\":");
    torii_buf_add_json(b, step->value);

    if (step->set->type == DNSSYNC_CNAME) {
        b->len--;
        torii_buf_adds(b, ".\"");
    }

    torii_buf_printf(b, ",\"ttl\":%u}", (unsigned) step->set->ttl);
}
