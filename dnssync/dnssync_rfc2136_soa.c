
/*
 * The question for a zone's SOA record: whether a server has the zone, and in
 * which version.
 */

#include <inttypes.h>
#include <stdio.h>

#include "dnssync_rfc2136.h"


static dnssync_op_step_e dnssync_rfc2136_serial(dnssync_op_t *op,
    torii_str_t message, const dnssync_header_t *header, uint32_t *serial);
static dnssync_op_step_e dnssync_rfc2136_zone(dnssync_op_t *op, int good);


dnssync_op_step_e
dnssync_rfc2136_soa(dnssync_op_t *op, torii_str_t message)
{
    uint32_t           serial;
    dnssync_header_t   header;
    dnssync_op_step_e  step;

    step = dnssync_rfc2136_check(op, message, &header);

    if (step == DNSSYNC_OP_DONE) {
        step = dnssync_rfc2136_serial(op, message, &header, &serial);
    }

    if (op->what == DNSSYNC_OP_ZONES && step != DNSSYNC_OP_SEND
        && step != DNSSYNC_OP_MORE)
    {
        return dnssync_rfc2136_zone(op, step == DNSSYNC_OP_DONE);
    }

    if (step != DNSSYNC_OP_DONE) {
        return step;
    }

    op->next = torii_arena_printf(op->arena, "%" PRIu32, serial);
    op->same = torii_str_eq(op->next, op->version);

    return DNSSYNC_OP_DONE;
}


static dnssync_op_step_e
dnssync_rfc2136_serial(dnssync_op_t *op, torii_str_t message,
    const dnssync_header_t *header, uint32_t *serial)
{
    int                 rc;
    char                text[DNSSYNC_ERROR_MAX];
    unsigned            rcode;
    torii_buf_t         b;
    dnssync_walk_t      w;
    dnssync_record_t    record;
    dnssync_rfc2136_t  *s;

    s = op->state;
    rcode = header->flags & DNSSYNC_RCODE;

    if (rcode) {
        snprintf(text, sizeof(text), "the question for its SOA record was "
                 "answered %s", dnssync_rcode_name(rcode));
        return dnssync_rfc2136_fail(op, dnssync_rfc2136_trouble(rcode), text,
                                    rcode == DNSSYNC_REFUSED
                                    ? "there is no such zone, or we may not "
                                      "ask" : NULL);
    }

    memset(&w, 0, sizeof(dnssync_walk_t));
    memset(&b, 0, sizeof(torii_buf_t));

    while ((rc = dnssync_walk(&w, message, &record)) == TORII_OK) {

        if (w.section == DNSSYNC_ANSWER && record.type == DNSSYNC_SOA
            && record.class == DNSSYNC_IN
            && dnssync_name_eq(&record.name, &s->zone))
        {
            rc = dnssync_soa_read(&b, &w.reader, &record, serial);
            break;
        }
    }

    torii_buf_free(&b);

    if (rc == TORII_ERROR) {
        return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_ANSWER, "the answer "
                                    "is malformed", NULL);
    }

    if (rc == TORII_DECLINED || !(header->flags & DNSSYNC_AA)) {
        return dnssync_rfc2136_fail(op, DNSSYNC_TROUBLE_SETTING, "the server "
                                    "does not have this zone", NULL);
    }

    return DNSSYNC_OP_DONE;
}


/*
 * One zone that is not there does not make the others useless, nor does it go
 * away: what it would have held must not end up in the zone above it.  Its
 * listing will fail.
 */

static dnssync_op_step_e
dnssync_rfc2136_zone(dnssync_op_t *op, int good)
{
    uint32_t            i;
    dnssync_rfc2136_t  *s;

    s = op->state;
    s->done += good;
    s->tcp = 0;
    s->tries = 0;

    if (++s->at < op->account->nzones) {
        return dnssync_rfc2136_ask(op);
    }

    if (s->done == 0) {
        return DNSSYNC_OP_FAILED;
    }

    op->trouble = DNSSYNC_TROUBLE_NONE;
    op->error[0] = '\0';
    op->nzones = op->account->nzones;
    op->zones = torii_arena_zalloc(op->arena, op->nzones
                                              * sizeof(dnssync_found_t));

    for (i = 0; i < op->nzones; i++) {
        op->zones[i].id = torii_arena_str(op->arena, op->account->zones[i]);
        op->zones[i].name = op->zones[i].id;
    }

    return DNSSYNC_OP_DONE;
}
