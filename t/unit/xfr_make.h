
/*
 * Transfers as a server sends them: text becomes messages, signed by TSIG a
 * second way, whole or broken.
 *
 * Records are separated by ";", messages by "/"; a message that begins with
 * "-" is not signed.  "S5" is the SOA record of serial 5, others are "NAME TYPE
 * DATA", below the zone but for those that end in a dot, with "@" for it.
 */

#ifndef _XFR_MAKE_H_INCLUDED_
#define _XFR_MAKE_H_INCLUDED_


#include "dnssync_transfer.h"
#include "dns_make.h"


#define XFR_NOW   1700000000
#define XFR_ZONE  "a.test"
#define XFR_ID    0x1234


typedef enum {
    XFR_FLIP = 1,             /* a bit of a record of the last message */
    XFR_FLIP_BARE,            /* of the second, which is not signed */
    XFR_ID_OTHER,
    XFR_QUERY,                /* not an answer */
    XFR_TC,
    XFR_CUT,                  /* the last byte of the last message */
    XFR_COUNT,                /* one record more than there are */
    XFR_LATE,
    XFR_KEY,                  /* another secret */
    XFR_NO_QUESTION,
    XFR_OTHER_QUESTION,
    XFR_LOOP,                 /* a name that points to itself */
    XFR_SWAP,                 /* the first two messages, swapped */
    XFR_DROP                  /* the second message is missing */
} xfr_fault_e;

static inline void
xfr_soa(torii_buf_t *b, uint32_t serial)
{
    torii_buf_t     rdata;
    dnssync_name_t  zone;

    zone = dns_name(XFR_ZONE);
    memset(&rdata, 0, sizeof(torii_buf_t));

    /* the question's name is at the place that the pointers lead to */

    if (b->data[5]) {
        torii_buf_add(&rdata, "\2ns\xc0\x0c\xc0\x0c", 7);

    } else {
        torii_buf_add(&rdata, "\2ns", 3);
        dnssync_write_name(&rdata, &zone);
        dnssync_write_name(&rdata, &zone);
    }

    dnssync_write_u32(&rdata, serial);
    torii_buf_add(&rdata, "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 16);

    dnssync_write_record(b, DNSSYNC_ANSWER, &zone, DNSSYNC_SOA, DNSSYNC_IN,
                         60, dns_str(&rdata));
    torii_buf_free(&rdata);
}


static inline void
xfr_record(torii_buf_t *b, torii_str_t text)
{
    char            owner[200], word[16], data[300], name[300];
    size_t          i;
    unsigned        type;
    torii_buf_t     rdata;
    dnssync_name_t  n;

    static const struct {
        const char  *word;
        unsigned     type;
    } types[] = {
        { "A", DNSSYNC_A }, { "AAAA", DNSSYNC_AAAA }, { "TXT", DNSSYNC_TXT },
        { "CNAME", DNSSYNC_CNAME }, { "NS", DNSSYNC_NS }, { "RRSIG", 46 },
        { "NSEC", 47 }, { "BAD", DNSSYNC_A }
    };

    snprintf(name, sizeof(name), "%.*s", torii_str_arg(text));

    if (name[0] == 'S') {
        xfr_soa(b, (uint32_t) strtoul(name + 1, NULL, 10));
        return;
    }

    if (sscanf(name, "%199s %15s %299s", owner, word, data) != 3) {
        abort();
    }

    i = strlen(owner);

    if (owner[i - 1] != '.') {
        snprintf(name, sizeof(name), "%s%s" XFR_ZONE,
                 owner[0] == '@' ? "" : owner, owner[0] == '@' ? "" : ".");

    } else {
        snprintf(name, sizeof(name), "%s", owner);
    }

    type = 0;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(word, types[i].word) == 0) {
            type = types[i].type;
        }
    }

    memset(&rdata, 0, sizeof(torii_buf_t));

    if (type == DNSSYNC_NS) {
        n = dns_name(data);
        dnssync_write_name(&rdata, &n);

    } else if (type > DNSSYNC_AAAA || strcmp(word, "BAD") == 0) {
        torii_buf_add(&rdata, "abc", 3);

    } else if (dnssync_rdata_write(&rdata, type, torii_str(data))
               != TORII_OK)
    {
        abort();
    }

    n = dns_name(name);
    dnssync_write_record(b, DNSSYNC_ANSWER, &n, type, DNSSYNC_IN, 60,
                         dns_str(&rdata));
    torii_buf_free(&rdata);
}


static inline void
xfr_message(torii_buf_t *b, torii_str_t text, int ixfr, int question,
    unsigned fault)
{
    torii_str_t      record;
    unsigned char   *p;
    dnssync_name_t   zone;

    zone = dns_name(fault == XFR_OTHER_QUESTION ? "b.test" : XFR_ZONE);

    dnssync_write_header(b, fault == XFR_ID_OTHER ? 7 : XFR_ID,
                         (fault == XFR_QUERY ? 0 : DNSSYNC_QR | DNSSYNC_AA)
                         | (fault == XFR_TC ? DNSSYNC_TC : 0));

    if (question && fault != XFR_NO_QUESTION) {
        dnssync_write_question(b, &zone, ixfr ? DNSSYNC_IXFR : DNSSYNC_AXFR);
    }

    while (torii_str_next(&text, ";", &record)) {
        if (record.len) {
            xfr_record(b, torii_str_trim(record));
        }
    }

    if (fault == XFR_COUNT) {
        b->data[7]++;
    }

    /* the owner of the first record, behind the question */

    if (fault == XFR_LOOP) {
        p = b->data + DNSSYNC_HEADER + zone.len + 4;
        p[0] = 0xc0;
        p[1] = (unsigned char) (p - b->data);
    }
}


/* Signs as a server does: of each signed message, all that came before it. */

typedef struct {
    dnssync_mac_t    prior;
    torii_buf_t      pending;
    unsigned         begun:1;
} xfr_signer_t;


static inline void
xfr_sign(xfr_signer_t *s, torii_buf_t *b, const char *secret, uint64_t now)
{
    unsigned         len;
    torii_buf_t      all, rdata;
    unsigned char    mac[64];
    dnssync_name_t   key, algorithm;

    key = dns_name("k256");
    algorithm = dns_name("hmac-sha256");

    memset(&all, 0, sizeof(torii_buf_t));
    memset(&rdata, 0, sizeof(torii_buf_t));

    dnssync_write_u16(&all, s->prior.len);
    torii_buf_add(&all, s->prior.data, s->prior.len);
    torii_buf_add(&all, s->pending.data, s->pending.len);
    torii_buf_add(&all, b->data, b->len);

    if (!s->begun) {
        dnssync_write_name(&all, &key);
        torii_buf_add(&all, "\0\xff\0\0\0\0", 6);
        dnssync_write_name(&all, &algorithm);
    }

    dnssync_write_u48(&all, now);
    dnssync_write_u16(&all, 300);

    if (!s->begun) {
        dnssync_write_u32(&all, 0);
    }

    HMAC(EVP_sha256(), secret, (int) strlen(secret), all.data, all.len, mac,
         &len);

    dnssync_write_name(&rdata, &algorithm);
    dnssync_write_u48(&rdata, now);
    dnssync_write_u16(&rdata, 300);
    dnssync_write_u16(&rdata, len);
    torii_buf_add(&rdata, mac, len);
    torii_buf_add(&rdata, b->data, 2);
    dnssync_write_u32(&rdata, 0);

    dnssync_write_record(b, DNSSYNC_ADDITIONAL, &key, DNSSYNC_TSIG,
                         DNSSYNC_ANY, 0, dns_str(&rdata));

    s->prior.len = len;
    memcpy(s->prior.data, mac, len);
    s->pending.len = 0;
    s->begun = 1;

    torii_buf_free(&all);
    torii_buf_free(&rdata);
}


#define XFR_MESSAGES  120

typedef struct {
    torii_buf_t         messages[XFR_MESSAGES];
    unsigned            n;
} xfr_stream_t;


static inline void
xfr_stream(xfr_stream_t *s, const char *text, const dnssync_mac_t *mac,
    int ixfr, xfr_fault_e fault)
{
    int              bare;
    torii_str_t      rest, message;
    torii_buf_t     *b, swap;
    xfr_signer_t    signer;

    memset(&signer, 0, sizeof(xfr_signer_t));
    signer.prior = *mac;

    rest = torii_str(text);
    s->n = 0;

    while (torii_str_next(&rest, "/", &message)) {
        b = &s->messages[s->n];
        b->len = 0;
        bare = (message.len && message.data[0] == '-');

        if (bare) {
            message.data++;
            message.len--;
        }

        xfr_message(b, message, ixfr, s->n == 0, fault);
        s->n++;

        if (bare) {
            torii_buf_add(&signer.pending, b->data, b->len);

        } else {
            xfr_sign(&signer, b, fault == XFR_KEY ? "other" : DNS_SECRET,
                      XFR_NOW - (fault == XFR_LATE ? 301 : 0));
        }
    }

    torii_buf_free(&signer.pending);

    b = &s->messages[s->n - 1];

    if (fault == XFR_FLIP) {
        b->data[DNSSYNC_HEADER + 20] ^= 1;

    } else if (fault == XFR_FLIP_BARE) {
        s->messages[1].data[s->messages[1].len - 1] ^= 1;

    } else if (fault == XFR_CUT) {
        b->len--;

    } else if (fault == XFR_SWAP || fault == XFR_DROP) {
        swap = s->messages[1];
        s->messages[1] = s->messages[fault == XFR_SWAP ? 0 : 2];
        s->messages[fault == XFR_SWAP ? 0 : 2] = swap;
        s->n -= (fault == XFR_DROP);
    }
}


#endif /* _XFR_MAKE_H_INCLUDED_ */
