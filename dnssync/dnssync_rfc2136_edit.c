
/*
 * Edits as records of an UPDATE message: what must hold, what goes, what comes.
 */

#include "dnssync_rfc2136.h"


#define DNSSYNC_RFC2136_SIZE    60000      /* of a message, without TSIG */
#define DNSSYNC_RFC2136_VALUES  4096       /* of a set */


typedef struct {
    size_t         must;
    size_t         todo;
    unsigned char  counts[2][2 * DNSSYNC_SECTIONS];
} dnssync_rfc2136_mark_t;


static size_t dnssync_rfc2136_size(const dnssync_rfc2136_t *s);
static void dnssync_rfc2136_mark(const dnssync_rfc2136_t *s,
    dnssync_rfc2136_mark_t *mark);
static void dnssync_rfc2136_reset(dnssync_rfc2136_t *s,
    const dnssync_rfc2136_mark_t *mark);
static void dnssync_rfc2136_join(dnssync_rfc2136_t *s);
static const char *dnssync_rfc2136_edit(dnssync_rfc2136_t *s,
    const dnssync_edit_t *edit);
static int dnssync_rfc2136_require(torii_buf_t *b,
    const dnssync_require_t *require);
static int dnssync_rfc2136_remove(torii_buf_t *b, const dnssync_part_t *part);
static int dnssync_rfc2136_add(torii_buf_t *b, const dnssync_part_t *part);
static uint32_t dnssync_rfc2136_find(const dnssync_rrset_t *set,
    torii_str_t value);
static int dnssync_rfc2136_record(torii_buf_t *b, const dnssync_rrset_t *set,
    uint32_t i, void (*write)(torii_buf_t *b, const dnssync_name_t *name,
    unsigned type, torii_str_t data));


void
dnssync_rfc2136_pack(dnssync_op_t *op, uint32_t end)
{
    uint32_t                 i;
    const char              *why;
    dnssync_rfc2136_t       *s;
    dnssync_rfc2136_mark_t   mark;

    s = op->state;

    s->must.len = 0;
    s->todo.len = 0;
    dnssync_write_header(&s->must, 0, DNSSYNC_UPDATE);
    dnssync_write_header(&s->todo, 0, DNSSYNC_UPDATE);

    for (i = s->from; i < end; i++) {
        dnssync_rfc2136_mark(s, &mark);

        why = dnssync_rfc2136_edit(s, op->edits[i]);

        if (why == NULL
            && dnssync_rfc2136_size(s) <= DNSSYNC_RFC2136_SIZE)
        {
            continue;
        }

        dnssync_rfc2136_reset(s, &mark);

        if (i == s->from) {
            dnssync_op_result(op, i, DNSSYNC_OUTCOME_REFUSED, "%s",
                              why ? why : "it does not fit into a DNS "
                                          "message");
        }

        break;
    }

    s->to = i;

    if (s->to > s->from) {
        dnssync_rfc2136_join(s);
    }
}


static size_t
dnssync_rfc2136_size(const dnssync_rfc2136_t *s)
{
    return s->zone.len + 4 + s->must.len + s->todo.len - DNSSYNC_HEADER;
}


static void
dnssync_rfc2136_mark(const dnssync_rfc2136_t *s, dnssync_rfc2136_mark_t *mark)
{
    mark->must = s->must.len;
    mark->todo = s->todo.len;

    memcpy(mark->counts[0], s->must.data + 4, sizeof(mark->counts[0]));
    memcpy(mark->counts[1], s->todo.data + 4, sizeof(mark->counts[1]));
}


static void
dnssync_rfc2136_reset(dnssync_rfc2136_t *s, const dnssync_rfc2136_mark_t *mark)
{
    s->must.len = mark->must;
    s->todo.len = mark->todo;

    memcpy(s->must.data + 4, mark->counts[0], sizeof(mark->counts[0]));
    memcpy(s->todo.data + 4, mark->counts[1], sizeof(mark->counts[1]));
}


/* Both parts behind one header, with the count of each. */

static void
dnssync_rfc2136_join(dnssync_rfc2136_t *s)
{
    torii_buf_t  *b;

    b = &s->message;
    b->len = 0;

    dnssync_update_start(b, dnssync_rfc2136_id(), &s->zone);

    torii_buf_add(b, s->must.data + DNSSYNC_HEADER,
                  s->must.len - DNSSYNC_HEADER);
    torii_buf_add(b, s->todo.data + DNSSYNC_HEADER,
                  s->todo.len - DNSSYNC_HEADER);

    memcpy(b->data + 4 + 2 * DNSSYNC_ANSWER,
           s->must.data + 4 + 2 * DNSSYNC_ANSWER, 2);
    memcpy(b->data + 4 + 2 * DNSSYNC_AUTHORITY,
           s->todo.data + 4 + 2 * DNSSYNC_AUTHORITY, 2);
}


/* What goes comes before what is new: an address may become an alias. */

static const char *
dnssync_rfc2136_edit(dnssync_rfc2136_t *s, const dnssync_edit_t *edit)
{
    int       rc;
    uint32_t  i;

    rc = TORII_OK;

    if (edit->nrequires == 0) {
        return "it would be done without a look at what is there";
    }

    for (i = 0; i < edit->nrequires && rc == TORII_OK; i++) {
        rc = dnssync_rfc2136_require(&s->must, &edit->requires[i]);
    }

    for (i = 0; i < edit->nparts && rc == TORII_OK; i++) {
        rc = dnssync_rfc2136_remove(&s->todo, &edit->parts[i]);
    }

    for (i = 0; i < edit->nparts && rc == TORII_OK; i++) {
        rc = dnssync_rfc2136_add(&s->todo, &edit->parts[i]);
    }

    return rc == TORII_OK ? NULL : "it has a name or a value that DNS cannot "
                                   "have";
}


static int
dnssync_rfc2136_require(torii_buf_t *b, const dnssync_require_t *require)
{
    uint32_t        i;
    dnssync_name_t  name;

    if (dnssync_name_parse(&name, require->name) != TORII_OK) {
        return TORII_ERROR;
    }

    if (require->equal == NULL || require->equal->n == 0) {
        dnssync_update_if_absent(b, &name, require->type);
        return TORII_OK;
    }

    for (i = 0; i < require->equal->n; i++) {
        if (dnssync_rfc2136_record(b, require->equal, i,
                                   dnssync_update_if_equal) != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


/*
 * Record by record: one that came to be meanwhile stays.  For another TTL all
 * go and come again: Knot does not change that of a record that is there.
 */

static int
dnssync_rfc2136_remove(torii_buf_t *b, const dnssync_part_t *part)
{
    uint32_t                i;
    const dnssync_rrset_t  *before;

    before = part->before;

    if (before == NULL) {
        return TORII_OK;
    }

    if (before->n > DNSSYNC_RFC2136_VALUES) {
        return TORII_ERROR;
    }

    for (i = 0; i < before->n; i++) {

        if (part->after != NULL && part->after->ttl == before->ttl
            && dnssync_rfc2136_find(part->after, before->values[i])
               < part->after->n)
        {
            continue;
        }

        if (dnssync_rfc2136_record(b, before, i, dnssync_update_delete)
            != TORII_OK)
        {
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


/* A record that was there keeps its form when its TTL is another one. */

static int
dnssync_rfc2136_add(torii_buf_t *b, const dnssync_part_t *part)
{
    int                     rc;
    uint32_t                i, k;
    torii_str_t             data;
    torii_buf_t             rdata;
    dnssync_name_t          name;
    const dnssync_rrset_t  *before, *after;

    before = part->before;
    after = part->after;

    if (after == NULL) {
        return TORII_OK;
    }

    if (after->n > DNSSYNC_RFC2136_VALUES
        || dnssync_name_parse(&name, after->name) != TORII_OK)
    {
        return TORII_ERROR;
    }

    memset(&rdata, 0, sizeof(torii_buf_t));
    rc = TORII_OK;

    for (i = 0; i < after->n && rc == TORII_OK; i++) {

        k = before ? dnssync_rfc2136_find(before, after->values[i]) : 0;

        if (before != NULL && k < before->n && before->ttl == after->ttl) {
            continue;
        }

        rdata.len = 0;

        rc = (before != NULL && k < before->n)
             ? dnssync_rdata_value(&rdata, before, k)
             : dnssync_rdata_write(&rdata, after->type, after->values[i]);

        if (rdata.len > DNSSYNC_MESSAGE_MAX) {
            rc = TORII_ERROR;
        }

        if (rc == TORII_OK) {
            data.data = rdata.data;
            data.len = rdata.len;
            dnssync_update_add(b, &name, after->type, after->ttl, data);
        }
    }

    torii_buf_free(&rdata);

    return rc;
}


/* n: there is none. */

static uint32_t
dnssync_rfc2136_find(const dnssync_rrset_t *set, torii_str_t value)
{
    uint32_t  i;

    for (i = 0; i < set->n; i++) {
        if (torii_str_eq(set->values[i], value)) {
            break;
        }
    }

    return i;
}


static int
dnssync_rfc2136_record(torii_buf_t *b, const dnssync_rrset_t *set, uint32_t i,
    void (*write)(torii_buf_t *b, const dnssync_name_t *name, unsigned type,
    torii_str_t data))
{
    int             rc;
    torii_str_t     data;
    torii_buf_t     rdata;
    dnssync_name_t  name;

    memset(&rdata, 0, sizeof(torii_buf_t));

    rc = dnssync_name_parse(&name, set->name);

    if (rc == TORII_OK) {
        rc = dnssync_rdata_value(&rdata, set, i);
    }

    if (rc == TORII_OK && rdata.len > DNSSYNC_MESSAGE_MAX) {
        rc = TORII_ERROR;
    }

    if (rc == TORII_OK) {
        data.data = rdata.data;
        data.len = rdata.len;
        write(b, &name, set->type, data);
    }

    torii_buf_free(&rdata);

    return rc;
}
