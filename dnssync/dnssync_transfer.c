
/*
 * Reading transfers.  An answer to IXFR has one of three forms: a lone SOA
 * record, if nothing changed; the changes, each as "SOA of before, records that
 * went, SOA of after, records that came"; or the whole zone.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_transfer.h"
#include "dnssync_update.h"


typedef enum {
    DNSSYNC_XFR_OPENING = 0,
    DNSSYNC_XFR_FORM,          /* which the second record tells */
    DNSSYNC_XFR_ZONE,
    DNSSYNC_XFR_GONE,
    DNSSYNC_XFR_NEW,
    DNSSYNC_XFR_CLOSED
} dnssync_xfr_e;


struct dnssync_transfer_s {
    torii_arena_t          *arena;
    dnssync_name_t          zone;
    const dnssync_key_t    *key;

    uint32_t                known;     /* serial */
    const dnssync_rrset_t  *sets;
    uint32_t                nsets;

    unsigned                id;
    dnssync_mac_t           mac;       /* of the request */
    dnssync_stream_t       *stream;

    dnssync_xfr_e           state;
    uint32_t                serial;    /* of the opening SOA */
    torii_buf_t             opening;   /* its data */
    uint32_t                at;        /* the version that changes lead to */
    dnssync_records_t      *records;
    size_t                  bytes;
    uint32_t                messages;

    unsigned                ixfr:1;
    unsigned                denied:1;
    unsigned                rcode;
    char                    error[DNSSYNC_ERROR_MAX];
};


static dnssync_transfer_e dnssync_transfer_head(dnssync_transfer_t *t,
    torii_str_t message);
static dnssync_transfer_e dnssync_transfer_rejected(dnssync_transfer_t *t,
    unsigned rcode);
static dnssync_transfer_e dnssync_transfer_signed(dnssync_transfer_t *t,
    uint64_t now, torii_str_t message, unsigned rcode);
static dnssync_transfer_e dnssync_transfer_records(dnssync_transfer_t *t,
    torii_str_t message);
static dnssync_transfer_e dnssync_transfer_record(dnssync_transfer_t *t,
    const dnssync_reader_t *in, const dnssync_record_t *record);
static dnssync_transfer_e dnssync_transfer_soa(dnssync_transfer_t *t,
    const dnssync_reader_t *in, const dnssync_record_t *record);
static dnssync_transfer_e dnssync_transfer_form(dnssync_transfer_t *t,
    const dnssync_record_t *record, uint32_t serial);
static dnssync_transfer_e dnssync_transfer_version(dnssync_transfer_t *t,
    uint32_t serial);
static dnssync_transfer_e dnssync_transfer_close(dnssync_transfer_t *t,
    const torii_buf_t *soa);
static dnssync_transfer_e dnssync_transfer_end(dnssync_transfer_t *t);
static dnssync_transfer_e dnssync_transfer_fail(dnssync_transfer_t *t,
    const char *error);


dnssync_transfer_t *
dnssync_transfer_create(torii_arena_t *arena, const dnssync_name_t *zone,
    const dnssync_key_t *key)
{
    dnssync_transfer_t  *t;

    t = torii_zalloc(sizeof(dnssync_transfer_t));

    t->arena = arena;
    t->zone = *zone;
    t->key = key;
    t->records = dnssync_records_create(arena);

    return t;
}


void
dnssync_transfer_free(dnssync_transfer_t *t)
{
    if (t == NULL) {
        return;
    }

    dnssync_records_free(t->records);
    dnssync_stream_free(t->stream);
    torii_buf_free(&t->opening);
    free(t);
}


void
dnssync_transfer_known(dnssync_transfer_t *t, uint32_t serial,
    const dnssync_rrset_t *sets, uint32_t n)
{
    t->ixfr = 1;
    t->known = serial;
    t->sets = sets;
    t->nsets = n;
}


void
dnssync_transfer_sets(const dnssync_transfer_t *t, dnssync_rrset_t **sets,
    uint32_t *n)
{
    dnssync_records_sets(t->records, t->arena, sets, n);
}


uint32_t
dnssync_transfer_serial(const dnssync_transfer_t *t)
{
    return t->serial;
}


unsigned
dnssync_transfer_rcode(const dnssync_transfer_t *t)
{
    return t->rcode;
}


int
dnssync_transfer_denied(const dnssync_transfer_t *t)
{
    return t->denied;
}


const char *
dnssync_transfer_error(const dnssync_transfer_t *t)
{
    return t->error;
}


/* Of the SOA in IXFR's request only the serial is looked at. */

int
dnssync_transfer_request(dnssync_transfer_t *t, uint64_t now, unsigned id,
    torii_buf_t *out)
{
    torii_str_t  data;
    torii_buf_t  soa;

    t->id = id;

    dnssync_write_header(out, id, DNSSYNC_QUERY);
    dnssync_write_question(out, &t->zone,
                           t->ixfr ? DNSSYNC_IXFR : DNSSYNC_AXFR);

    if (t->ixfr) {
        memset(&soa, 0, sizeof(torii_buf_t));

        dnssync_write_u16(&soa, 0);              /* two names: the root */
        dnssync_write_u32(&soa, t->known);
        dnssync_write_u48(&soa, 0);
        dnssync_write_u48(&soa, 0);
        dnssync_write_u32(&soa, 0);

        data.data = soa.data;
        data.len = soa.len;

        dnssync_write_record(out, DNSSYNC_AUTHORITY, &t->zone, DNSSYNC_SOA,
                             DNSSYNC_IN, 0, data);
        torii_buf_free(&soa);
    }

    if (t->key == NULL) {
        return TORII_OK;
    }

    if (dnssync_tsig_sign(t->key, now, out, &t->mac) != TORII_OK) {
        return TORII_ERROR;
    }

    t->stream = dnssync_stream_create(t->key, &t->mac);

    return t->stream ? TORII_OK : TORII_ERROR;
}


dnssync_transfer_e
dnssync_transfer_answer(dnssync_transfer_t *t, uint64_t now,
    torii_str_t message)
{
    dnssync_transfer_e  step;

    if (t->error[0]) {
        return DNSSYNC_TRANSFER_FAILED;
    }

    if (t->state == DNSSYNC_XFR_CLOSED) {
        return dnssync_transfer_fail(t, "a message came after the last one");
    }

    t->bytes += message.len;

    if (t->bytes > DNSSYNC_TRANSFER_MAX) {
        return dnssync_transfer_fail(t, "the zone is too large: its transfer "
                                        "has more than 64 MB");
    }

    step = dnssync_transfer_head(t, message);

    if (step != DNSSYNC_TRANSFER_MORE) {
        return step;
    }

    t->messages++;

    if (t->key) {
        step = dnssync_transfer_signed(t, now, message, t->rcode);

        if (step != DNSSYNC_TRANSFER_MORE) {
            return step;
        }
    }

    if (t->rcode) {
        return dnssync_transfer_rejected(t, t->rcode);
    }

    return dnssync_transfer_records(t, message);
}


/* The question has to be in the first message (RFC 5936 section 2.2.2). */

static dnssync_transfer_e
dnssync_transfer_head(dnssync_transfer_t *t, torii_str_t message)
{
    unsigned          type, class;
    dnssync_name_t    name;
    dnssync_header_t  header;
    dnssync_reader_t  in;

    in = dnssync_reader(message);
    dnssync_read_header(&in, &header);

    if (in.failed) {
        return dnssync_transfer_fail(t, "a message is malformed");
    }

    if (header.id != t->id || !(header.flags & DNSSYNC_QR)
        || (header.flags & DNSSYNC_OPCODE) != DNSSYNC_QUERY)
    {
        return dnssync_transfer_fail(t, "an answer to another question");
    }

    if (header.flags & DNSSYNC_TC) {
        return dnssync_transfer_fail(t, "a message is truncated");
    }

    t->rcode = header.flags & DNSSYNC_RCODE;

    if (header.counts[DNSSYNC_QUESTION] == 0
        && (t->messages || t->rcode))
    {
        return DNSSYNC_TRANSFER_MORE;
    }

    dnssync_read_question(&in, &name, &type, &class);

    if (in.failed || header.counts[DNSSYNC_QUESTION] != 1
        || type != (t->ixfr ? DNSSYNC_IXFR : DNSSYNC_AXFR)
        || class != DNSSYNC_IN || !dnssync_name_eq(&name, &t->zone))
    {
        return dnssync_transfer_fail(t, "an answer to another question");
    }

    return DNSSYNC_TRANSFER_MORE;
}


/* A refusal is believed without a signature, for a server that does not know
   the key cannot give one. */

static dnssync_transfer_e
dnssync_transfer_signed(dnssync_transfer_t *t, uint64_t now,
    torii_str_t message, unsigned rcode)
{
    dnssync_tsig_e  found;
    dnssync_tsig_t  tsig;

    found = dnssync_stream_verify(t->stream, now, message, &tsig);

    if (found == DNSSYNC_TSIG_NONE && rcode && t->messages == 1) {
        return DNSSYNC_TRANSFER_MORE;
    }

    if (found == DNSSYNC_TSIG_GOOD && tsig.error == 0) {
        return DNSSYNC_TRANSFER_MORE;
    }

    t->denied = (found != DNSSYNC_TSIG_MALFORMED);

    if (found == DNSSYNC_TSIG_LATE || tsig.error) {
        dnssync_tsig_text(&tsig, t->error);
        return DNSSYNC_TRANSFER_FAILED;
    }

    return dnssync_transfer_fail(t, dnssync_tsig_word(found));
}


/* A server that does not know IXFR says so in one of several ways. */

static dnssync_transfer_e
dnssync_transfer_rejected(dnssync_transfer_t *t, unsigned rcode)
{
    if (t->ixfr && t->messages == 1
        && (rcode == DNSSYNC_NOTIMP || rcode == DNSSYNC_FORMERR))
    {
        return DNSSYNC_TRANSFER_WHOLE;
    }

    snprintf(t->error, DNSSYNC_ERROR_MAX, "the transfer was answered %s",
             dnssync_rcode_name(rcode));

    return DNSSYNC_TRANSFER_FAILED;
}


static dnssync_transfer_e
dnssync_transfer_records(dnssync_transfer_t *t, torii_str_t message)
{
    int                  rc;
    dnssync_walk_t       w;
    dnssync_record_t     record;
    dnssync_transfer_e   step;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, message, &record)) == TORII_OK) {

        if (w.section != DNSSYNC_ANSWER) {
            continue;
        }

        step = dnssync_transfer_record(t, &w.reader, &record);

        if (step != DNSSYNC_TRANSFER_MORE) {
            return step;
        }
    }

    if (rc != TORII_DECLINED) {
        return dnssync_transfer_fail(t, "a message is malformed");
    }

    return dnssync_transfer_end(t);
}


static dnssync_transfer_e
dnssync_transfer_record(dnssync_transfer_t *t, const dnssync_reader_t *in,
    const dnssync_record_t *record)
{
    int                  rc;
    dnssync_transfer_e   step;

    if (t->state == DNSSYNC_XFR_CLOSED) {
        return dnssync_transfer_fail(t, "a record came after the closing SOA "
                                        "record");
    }

    if (record->class != DNSSYNC_IN
        || !dnssync_name_within(&record->name, &t->zone))
    {
        return dnssync_transfer_fail(t, "a record is not within the zone");
    }

    if (record->type == DNSSYNC_SOA) {
        return dnssync_transfer_soa(t, in, record);
    }

    if (t->state == DNSSYNC_XFR_OPENING) {
        return dnssync_transfer_fail(t, "the zone does not begin with its SOA "
                                        "record");
    }

    if (t->state == DNSSYNC_XFR_FORM) {
        step = dnssync_transfer_form(t, record, 0);

        if (step != DNSSYNC_TRANSFER_MORE) {
            return step;
        }
    }

    if (dnssync_rdata_skip(record->type)) {
        return DNSSYNC_TRANSFER_MORE;
    }

    rc = (t->state == DNSSYNC_XFR_GONE)
         ? dnssync_records_remove(t->records, in, record)
         : dnssync_records_add(t->records, in, record);

    if (rc == TORII_DECLINED) {
        return DNSSYNC_TRANSFER_WHOLE;
    }

    return rc == TORII_OK ? DNSSYNC_TRANSFER_MORE
                          : dnssync_transfer_fail(t, "a record is malformed, "
                                                     "or there are too many");
}


static dnssync_transfer_e
dnssync_transfer_soa(dnssync_transfer_t *t, const dnssync_reader_t *in,
    const dnssync_record_t *record)
{
    uint32_t             serial;
    torii_buf_t          soa;
    dnssync_transfer_e   step;

    memset(&soa, 0, sizeof(torii_buf_t));

    if (!dnssync_name_eq(&record->name, &t->zone)
        || dnssync_soa_read(&soa, in, record, &serial) != TORII_OK)
    {
        torii_buf_free(&soa);
        return dnssync_transfer_fail(t, "an SOA record is malformed");
    }

    step = DNSSYNC_TRANSFER_MORE;

    switch (t->state) {

    case DNSSYNC_XFR_OPENING:
        t->serial = serial;
        t->opening = soa;
        t->state = DNSSYNC_XFR_FORM;
        return step;

    case DNSSYNC_XFR_FORM:
        step = dnssync_transfer_form(t, record, serial);

        if (step == DNSSYNC_TRANSFER_MORE && t->state == DNSSYNC_XFR_ZONE) {
            step = dnssync_transfer_close(t, &soa);
        }

        break;

    case DNSSYNC_XFR_NEW:
        if (t->at == t->serial) {
            step = dnssync_transfer_close(t, &soa);
            break;
        }

        if (serial != t->at) {
            step = DNSSYNC_TRANSFER_WHOLE;
            break;
        }

        t->state = DNSSYNC_XFR_GONE;
        break;

    case DNSSYNC_XFR_GONE:
        step = dnssync_transfer_version(t, serial);
        break;

    default:
        step = dnssync_transfer_close(t, &soa);
    }

    torii_buf_free(&soa);

    return step;
}


/* An SOA record of the known version begins what has changed since. */

static dnssync_transfer_e
dnssync_transfer_form(dnssync_transfer_t *t, const dnssync_record_t *record,
    uint32_t serial)
{
    if (!t->ixfr || record->type != DNSSYNC_SOA
        || (serial == t->serial && serial != t->known))
    {
        t->state = DNSSYNC_XFR_ZONE;
        return DNSSYNC_TRANSFER_MORE;
    }

    if (serial != t->known || serial == t->serial
        || dnssync_records_known(t->records, t->sets, t->nsets) != TORII_OK)
    {
        return DNSSYNC_TRANSFER_WHOLE;
    }

    t->at = serial;
    t->state = DNSSYNC_XFR_GONE;

    return DNSSYNC_TRANSFER_MORE;
}


/* Versions follow upon each other, and none is past the last. */

static dnssync_transfer_e
dnssync_transfer_version(dnssync_transfer_t *t, uint32_t serial)
{
    if (!dnssync_serial_after(serial, t->at)
        || dnssync_serial_after(serial, t->serial))
    {
        return DNSSYNC_TRANSFER_WHOLE;
    }

    t->at = serial;
    t->state = DNSSYNC_XFR_NEW;

    return DNSSYNC_TRANSFER_MORE;
}


static dnssync_transfer_e
dnssync_transfer_close(dnssync_transfer_t *t, const torii_buf_t *soa)
{
    if (soa->len != t->opening.len
        || memcmp(soa->data, t->opening.data, soa->len) != 0)
    {
        return dnssync_transfer_fail(t, "the zone changed while it was "
                                        "transferred: the closing SOA record "
                                        "is not the opening one");
    }

    t->state = DNSSYNC_XFR_CLOSED;

    return DNSSYNC_TRANSFER_MORE;
}


/*
 * After a message.  A lone SOA record says that nothing changed; or, with a
 * serial before ours, that the server's zone is older, or another one.
 */

static dnssync_transfer_e
dnssync_transfer_end(dnssync_transfer_t *t)
{
    if (t->state == DNSSYNC_XFR_FORM && t->ixfr) {

        if (t->serial == t->known) {
            t->state = DNSSYNC_XFR_CLOSED;
            return DNSSYNC_TRANSFER_SAME;
        }

        if (!dnssync_serial_after(t->serial, t->known)) {
            return DNSSYNC_TRANSFER_WHOLE;
        }
    }

    if (t->state != DNSSYNC_XFR_CLOSED) {
        return DNSSYNC_TRANSFER_MORE;
    }

    if (t->key && !dnssync_stream_settled(t->stream)) {
        t->denied = 1;
        return dnssync_transfer_fail(t, "the last message of the transfer is "
                                        "not signed by TSIG");
    }

    return DNSSYNC_TRANSFER_DONE;
}


static dnssync_transfer_e
dnssync_transfer_fail(dnssync_transfer_t *t, const char *error)
{
    snprintf(t->error, DNSSYNC_ERROR_MAX, "%s", error);

    return DNSSYNC_TRANSFER_FAILED;
}
