
/* The RFC 2136 driver, from settings in a line: "NAME=VALUE;NAME=VALUE". */

#ifndef _RFC2136_WORLD_H_INCLUDED_
#define _RFC2136_WORLD_H_INCLUDED_


#include "dnssync_driver.h"
#include "xfr_make.h"
#include "tap.h"


#define WORLD_B64     "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define WORLD_KEYED   "tsig-key-name=k256;tsig-secret=" WORLD_B64
#define WORLD_SERVER  "provider=rfc2136;server=192.0.2.53;zones=a.test;"
#define WORLD_MS      ((uint64_t) XFR_NOW * 1000)


static inline dnssync_account_t *
world_account(const char *text, torii_str_t *why)
{
    uint32_t          n;
    torii_str_t       rest, piece;
    unsigned char    *p;
    dnssync_option_t  settings[16];

    rest = torii_str(text);

    for (n = 0; torii_str_next(&rest, ";", &piece) && n < 16; /* void */) {
        p = memchr(piece.data, '=', piece.len);

        if (p != NULL) {
            settings[n].name.data = piece.data;
            settings[n].name.len = p - piece.data;
            settings[n].value.data = p + 1;
            settings[n++].value.len = piece.data + piece.len - (p + 1);
        }
    }

    return dnssync_account_create(torii_str("default/dns"), settings, n, why);
}


static inline dnssync_op_t *
world_op(dnssync_account_t *account, dnssync_op_e what)
{
    dnssync_op_t  *op;

    op = dnssync_op_create(account, what);
    op->zone.id = torii_str(XFR_ZONE);
    op->zone.name = op->zone.id;

    return op;
}


/* The MAC of a signed request is near its end. */

static inline dnssync_mac_t
world_mac(torii_str_t request)
{
    dnssync_mac_t  mac;

    mac.len = 32;
    memcpy(mac.data, request.data + request.len - 6 - 32, 32);

    return mac;
}


static inline dnssync_op_step_e
world_answer(dnssync_op_t *op, torii_buf_t *b)
{
    dnssync_answer_t  answer;

    memset(&answer, 0, sizeof(dnssync_answer_t));

    if (b) {
        answer.body = dns_str(b);

    } else {
        answer.error = "no answer";
    }

    return dnssync_op_answer(op, WORLD_MS, &answer);
}


#endif /* _RFC2136_WORLD_H_INCLUDED_ */
