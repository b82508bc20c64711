
/*
 * One TXT value added or removed: the zone of the name is looked for at the
 * server, from the longest name that it could have, then it is changed.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_tsig.h"
#include "dnssync_update.h"


struct dnssync_change_s {
    dnssync_name_t         name;
    torii_buf_t            data;       /* of the record */
    uint32_t               ttl;
    const dnssync_key_t   *key;

    dnssync_name_t         at;         /* asked about, then the zone */
    dnssync_name_t         cut;        /* which the server says is another's */

    torii_buf_t            request;
    dnssync_mac_t          mac;        /* of request */

    unsigned               add:1;
    unsigned               found:1;    /* the zone */
    unsigned               refused:1;  /* a question */
    char                   error[DNSSYNC_ERROR_MAX];
};


static dnssync_step_e dnssync_change_verify(dnssync_change_t *c, uint64_t now,
    torii_str_t answer, const dnssync_header_t *header);
static dnssync_step_e dnssync_change_zone(dnssync_change_t *c,
    torii_str_t answer, const dnssync_header_t *header);
static int dnssync_change_soa(dnssync_change_t *c, torii_str_t answer);
static dnssync_step_e dnssync_change_zone_found(dnssync_change_t *c);
static dnssync_step_e dnssync_change_done(dnssync_change_t *c,
    const dnssync_header_t *header);
static dnssync_step_e dnssync_change_fail(dnssync_change_t *c,
    const char *error);


dnssync_change_t *
dnssync_change_txt(torii_str_t name, torii_str_t value, int add, uint32_t ttl,
    const dnssync_key_t *key, const char **why)
{
    dnssync_name_t     owner;
    dnssync_change_t  *c;

    if (dnssync_name_parse(&owner, name) != TORII_OK || owner.len == 1) {
        *why = "the name of the TXT record is no DNS name";
        return NULL;
    }

    if (value.len == 0 || value.len > DNSSYNC_VALUE_MAX) {
        *why = "the value of the TXT record is empty or too long";
        return NULL;
    }

    c = torii_zalloc(sizeof(dnssync_change_t));

    c->name = owner;
    c->at = owner;
    c->key = key;
    c->add = (add != 0);
    c->ttl = ttl & 0x7fffffff;                   /* RFC 2181 section 8 */

    dnssync_write_txt(&c->data, value);

    return c;
}


void
dnssync_change_free(dnssync_change_t *c)
{
    if (c == NULL) {
        return;
    }

    torii_buf_free(&c->data);
    torii_buf_free(&c->request);
    free(c);
}


const char *
dnssync_change_error(const dnssync_change_t *c)
{
    return c->error;
}


/*
 * A server takes an update of a name that is an alias, changes nothing and
 * says NOERROR (RFC 2136 section 3.4.2.2): hence the prerequisite.
 */

int
dnssync_change_request(dnssync_change_t *c, uint64_t now, unsigned id,
    torii_buf_t *out)
{
    torii_str_t   data;
    torii_buf_t  *b;

    b = &c->request;
    b->len = 0;
    c->error[0] = '\0';

    data.data = c->data.data;
    data.len = c->data.len;

    if (!c->found) {
        dnssync_write_header(b, id, DNSSYNC_QUERY);
        dnssync_write_question(b, &c->at, DNSSYNC_SOA);

    } else if (c->add) {
        dnssync_update_start(b, id, &c->at);
        dnssync_update_if_absent(b, &c->name, DNSSYNC_CNAME);
        dnssync_update_add(b, &c->name, DNSSYNC_TXT, c->ttl, data);

    } else {
        dnssync_update_start(b, id, &c->at);
        dnssync_update_delete(b, &c->name, DNSSYNC_TXT, data);
    }

    if (c->key && dnssync_tsig_sign(c->key, now, b, &c->mac) != TORII_OK) {
        (void) dnssync_change_fail(c, "OpenSSL cannot sign the message");
        return TORII_ERROR;
    }

    torii_buf_add(out, b->data, b->len);

    return TORII_OK;
}


dnssync_step_e
dnssync_change_answer(dnssync_change_t *c, uint64_t now, torii_str_t answer)
{
    torii_str_t       request;
    dnssync_step_e    step;
    dnssync_header_t  header;

    request.data = c->request.data;
    request.len = c->request.len;

    if (dnssync_message_answers(answer, request, &header) != TORII_OK) {
        (void) dnssync_change_fail(c, "an answer to another question");
        return DNSSYNC_IGNORED;
    }

    if (header.flags & DNSSYNC_TC) {
        return DNSSYNC_TRUNCATED;
    }

    if (c->key) {
        step = dnssync_change_verify(c, now, answer, &header);
        if (step != DNSSYNC_DONE) {
            return step;
        }
    }

    return c->found ? dnssync_change_done(c, &header)
                    : dnssync_change_zone(c, answer, &header);
}


/*
 * DONE: the answer may be looked at.  A refusal is believed without a
 * signature, for a server that does not know the key cannot give one; so is
 * where the zone begins, which a signed answer to the update then confirms.
 */

static dnssync_step_e
dnssync_change_verify(dnssync_change_t *c, uint64_t now, torii_str_t answer,
    const dnssync_header_t *header)
{
    dnssync_tsig_e  found;
    dnssync_tsig_t  tsig;

    found = dnssync_tsig_verify(c->key, now, answer, &c->mac, &tsig);

    switch (found) {

    case DNSSYNC_TSIG_GOOD:
    case DNSSYNC_TSIG_UNSIGNED:
        if (tsig.error == 0) {
            return DNSSYNC_DONE;
        }

        dnssync_tsig_text(&tsig, c->error);
        return DNSSYNC_FAILED;

    case DNSSYNC_TSIG_NONE:
        if (!c->found || (header->flags & DNSSYNC_RCODE)) {
            return DNSSYNC_DONE;
        }

        break;

    case DNSSYNC_TSIG_LATE:
        dnssync_tsig_text(&tsig, c->error);
        return DNSSYNC_IGNORED;

    default:
        break;
    }

    (void) dnssync_change_fail(c, dnssync_tsig_word(found));

    return DNSSYNC_IGNORED;
}


static dnssync_step_e
dnssync_change_zone(dnssync_change_t *c, torii_str_t answer,
    const dnssync_header_t *header)
{
    unsigned  rcode;
    char      text[DNSSYNC_TEXT_MAX];

    rcode = header->flags & DNSSYNC_RCODE;

    switch (rcode) {

    case 0:
    case DNSSYNC_NXDOMAIN:
        switch (dnssync_change_soa(c, answer)) {

        case TORII_OK:
            return dnssync_change_zone_found(c);

        case TORII_ERROR:
            (void) dnssync_change_fail(c, "the answer is malformed");
            return DNSSYNC_IGNORED;
        }

        break;

    case DNSSYNC_REFUSED:
    case DNSSYNC_NOTAUTH:
        c->refused = 1;
        break;

    default:
        snprintf(c->error, DNSSYNC_ERROR_MAX, "the question for the zone was "
                 "answered %s", dnssync_rcode_name(rcode));
        return DNSSYNC_FAILED;
    }

    (void) dnssync_name_climb(&c->at);

    if (c->at.len > 1) {
        return DNSSYNC_MORE;
    }

    dnssync_name_text(&c->name, text);

    snprintf(c->error, DNSSYNC_ERROR_MAX, "the server has no zone for \"%.255s"
             "\"%s", text, c->refused ? ", or does not let us ask" : "");

    return DNSSYNC_FAILED;
}


/*
 * The SOA record is the answer, or beside one that says there is none (RFC
 * 2308 section 2).  A referral is kept in mind: what is below it belongs to
 * other servers, although this one would take the record.
 */

static int
dnssync_change_soa(dnssync_change_t *c, torii_str_t answer)
{
    int               rc;
    dnssync_walk_t    w;
    dnssync_record_t  record;

    memset(&w, 0, sizeof(dnssync_walk_t));

    while ((rc = dnssync_walk(&w, answer, &record)) == TORII_OK) {

        if (record.class != DNSSYNC_IN
            || !dnssync_name_within(&c->at, &record.name)
            || record.name.len == 1)
        {
            continue;
        }

        if (record.type == DNSSYNC_SOA
            && (w.section == DNSSYNC_AUTHORITY
                || (w.section == DNSSYNC_ANSWER
                    && dnssync_name_eq(&record.name, &c->at))))
        {
            c->at = record.name;
            c->found = 1;
            return TORII_OK;
        }

        if (record.type == DNSSYNC_NS && w.section == DNSSYNC_AUTHORITY
            && !(w.header.flags & DNSSYNC_AA)
            && record.name.len > c->cut.len)
        {
            c->cut = record.name;
        }
    }

    return rc;
}


static dnssync_step_e
dnssync_change_zone_found(dnssync_change_t *c)
{
    char  zone[DNSSYNC_TEXT_MAX], cut[DNSSYNC_TEXT_MAX];

    if (c->cut.len <= c->at.len) {
        return DNSSYNC_MORE;
    }

    dnssync_name_text(&c->at, zone);
    dnssync_name_text(&c->cut, cut);

    snprintf(c->error, DNSSYNC_ERROR_MAX, "the server has zone \"%.100s\", "
             "but \"%.255s\" is delegated to others: they must be asked",
             zone, cut);

    return DNSSYNC_FAILED;
}


static dnssync_step_e
dnssync_change_done(dnssync_change_t *c, const dnssync_header_t *header)
{
    unsigned     rcode;
    const char  *advice;
    char         text[DNSSYNC_TEXT_MAX];

    rcode = header->flags & DNSSYNC_RCODE;

    if (rcode == 0) {
        return DNSSYNC_DONE;
    }

    advice = (rcode == DNSSYNC_YXRRSET) ? "the name is an alias (CNAME), "
                                          "beside which no TXT record can be"
                                        : dnssync_rcode_advice(rcode);

    dnssync_name_text(&c->at, text);

    snprintf(c->error, DNSSYNC_ERROR_MAX, "the update of zone \"%.255s\" was "
             "answered %s: %s", text, dnssync_rcode_name(rcode), advice);

    return DNSSYNC_FAILED;
}


static dnssync_step_e
dnssync_change_fail(dnssync_change_t *c, const char *error)
{
    snprintf(c->error, DNSSYNC_ERROR_MAX, "%s", error);
    return DNSSYNC_FAILED;
}
