
/* Answers of a name server: "NAME TYPE DATA" lines, signed on demand. */

#ifndef _DNS_MAKE_H_INCLUDED_
#define _DNS_MAKE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include <openssl/hmac.h>

#include "dnssync_tsig.h"
#include "dnssync_update.h"


#define DNS_SECRET  "01234567890123456789012345678901"


static inline torii_str_t
dns_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static inline dnssync_name_t
dns_name(const char *text)
{
    dnssync_name_t  name;

    if (dnssync_name_parse(&name, torii_str(text)) != TORII_OK) {
        abort();
    }

    return name;
}


/* "a.example TXT one", "a.example NS ns.example", "example SOA" … */

static inline void
dns_add(torii_buf_t *b, dnssync_section_e section, const char *record)
{
    int             n;
    unsigned        type;
    char            owner[300], word[16], data[600];
    torii_buf_t     rdata;
    dnssync_name_t  name, target;

    data[0] = '\0';
    n = sscanf(record, "%299s %15s %599s", owner, word, data);

    if (n < 2) {
        abort();
    }

    name = dns_name(owner);
    memset(&rdata, 0, sizeof(torii_buf_t));

    if (strcmp(word, "TXT") == 0) {
        type = DNSSYNC_TXT;
        dnssync_write_txt(&rdata, torii_str(data));

    } else if (strcmp(word, "SOA") == 0) {
        type = DNSSYNC_SOA;
        dnssync_write_name(&rdata, &name);
        dnssync_write_name(&rdata, &name);
        torii_buf_add(&rdata, "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 20);

    } else {
        type = strcmp(word, "NS") == 0 ? DNSSYNC_NS : DNSSYNC_CNAME;
        target = dns_name(data);
        dnssync_write_name(&rdata, &target);
    }

    dnssync_write_record(b, section, &name, type, DNSSYNC_IN, 60,
                         dns_str(&rdata));
    torii_buf_free(&rdata);
}


/* The head of an answer to request: its id, opcode and question. */

static inline void
dns_answer(torii_buf_t *b, torii_str_t request, unsigned flags)
{
    unsigned          type, class, id, opcode;
    dnssync_name_t    name;
    dnssync_reader_t  r;

    r = dnssync_reader(request);
    id = dnssync_read_u16(&r);
    opcode = dnssync_read_u16(&r) & DNSSYNC_OPCODE;
    (void) dnssync_read_bytes(&r, 8);
    dnssync_read_question(&r, &name, &type, &class);

    if (r.failed) {
        abort();
    }

    b->len = 0;
    dnssync_write_header(b, id, DNSSYNC_QR | opcode | flags);
    dnssync_write_question(b, &name, type);
}


typedef struct {
    const char    *key;
    const char    *secret;
    uint64_t       time;
    unsigned       error;
    const char    *other;              /* six bytes */
    unsigned       cut;                /* bytes off the MAC */
    unsigned       empty:1;            /* no MAC */
} dns_sign_t;


/* RFC 8945 section 5.3, written down a second time: HMAC-SHA256 only. */

static inline void
dns_sign(torii_buf_t *b, const dnssync_mac_t *request, const dns_sign_t *s)
{
    unsigned         len;
    torii_buf_t      all, vars, rdata;
    dnssync_name_t   key, algorithm;
    unsigned char    mac[64];

    key = dns_name(s->key);
    algorithm = dns_name("hmac-sha256");

    memset(&all, 0, sizeof(torii_buf_t));
    memset(&vars, 0, sizeof(torii_buf_t));
    memset(&rdata, 0, sizeof(torii_buf_t));

    torii_buf_add(&vars, s->error >> 8 ? "\1" : "\0", 1);
    dnssync_write_u8(&vars, s->error & 0xff);
    dnssync_write_u16(&vars, s->other ? 6 : 0);
    torii_buf_add(&vars, s->other, s->other ? 6 : 0);

    dnssync_write_u16(&all, request->len);
    torii_buf_add(&all, request->data, request->len);
    torii_buf_add(&all, b->data, b->len);
    dnssync_write_name(&all, &key);
    torii_buf_add(&all, "\0\xff\0\0\0\0", 6);
    dnssync_write_name(&all, &algorithm);
    dnssync_write_u48(&all, s->time);
    dnssync_write_u16(&all, 300);
    torii_buf_add(&all, vars.data, vars.len);

    HMAC(EVP_sha256(), s->secret, (int) strlen(s->secret), all.data, all.len,
         mac, &len);

    len = s->empty ? 0 : len - s->cut;

    dnssync_write_name(&rdata, &algorithm);
    dnssync_write_u48(&rdata, s->time);
    dnssync_write_u16(&rdata, 300);
    dnssync_write_u16(&rdata, len);
    torii_buf_add(&rdata, mac, len);
    torii_buf_add(&rdata, b->data, 2);
    torii_buf_add(&rdata, vars.data, vars.len);

    dnssync_write_record(b, DNSSYNC_ADDITIONAL, &key, DNSSYNC_TSIG,
                         DNSSYNC_ANY, 0, dns_str(&rdata));

    torii_buf_free(&all);
    torii_buf_free(&vars);
    torii_buf_free(&rdata);
}


#endif /* _DNS_MAKE_H_INCLUDED_ */
