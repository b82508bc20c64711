
/*
 * TSIG (RFC 8945): requests are signed with a shared secret, answers verified.
 */

#ifndef _DNSSYNC_TSIG_H_INCLUDED_
#define _DNSSYNC_TSIG_H_INCLUDED_


#include "dnssync_message.h"


#define DNSSYNC_MAC_MAX  64
#define DNSSYNC_FUDGE    300           /* seconds */
#define DNSSYNC_UNSIGNED_MAX  99       /* messages of a stream, in a row */

/* error codes of TSIG */
#define DNSSYNC_BADSIG    16
#define DNSSYNC_BADKEY    17
#define DNSSYNC_BADTIME   18
#define DNSSYNC_BADTRUNC  22


typedef struct {
    const char             *name;      /* on the wire */
    const char             *words[3];  /* in objects, in any case */
    const char             *digest;    /* OpenSSL's */
    size_t                  len;       /* of a MAC */
} dnssync_algorithm_t;

struct dnssync_key_s {
    dnssync_name_t              name;
    dnssync_name_t              algorithm;
    const dnssync_algorithm_t  *hmac;
    torii_buf_t                 secret;
};


/* The MAC of a request, which that of its answer is made with. */

typedef struct {
    size_t                  len;
    unsigned char           data[DNSSYNC_MAC_MAX];
} dnssync_mac_t;


/* What was found at the end of an answer. */

typedef enum {
    DNSSYNC_TSIG_GOOD = 0,
    DNSSYNC_TSIG_NONE,         /* there is no TSIG */
    DNSSYNC_TSIG_MALFORMED,
    DNSSYNC_TSIG_OTHER,        /* of another key or algorithm */
    DNSSYNC_TSIG_UNSIGNED,     /* an error, which cannot be verified */
    DNSSYNC_TSIG_WRONG,        /* the MAC is not right */
    DNSSYNC_TSIG_LATE          /* it is, but the time is not */
} dnssync_tsig_e;

typedef struct {
    unsigned                error;     /* as the server put it, 0: none */
    int64_t                 skew;      /* seconds that its clock is ahead; of
                                          BADTIME and TSIG_LATE */
} dnssync_tsig_t;


/*
 * Adds a TSIG record to a whole message, which begins where b does.
 * TORII_ERROR: OpenSSL cannot, or the message is too long.
 */
int dnssync_tsig_sign(const dnssync_key_t *key, uint64_t now, torii_buf_t *b,
    dnssync_mac_t *mac);

dnssync_tsig_e dnssync_tsig_verify(const dnssync_key_t *key, uint64_t now,
    torii_str_t answer, const dnssync_mac_t *request, dnssync_tsig_t *tsig);


/*
 * An answer of many messages (RFC 8945 section 5.3.1).  The first and the last
 * have to be signed; those between may go without, and the next signature is
 * of them, too.  GOOD is said of those as well: what they hold counts only once
 * dnssync_stream_settled().  After anything else than GOOD the stream is of no
 * more use.
 */

typedef struct dnssync_stream_s  dnssync_stream_t;

/* NULL: OpenSSL cannot.  The key is referred to. */
dnssync_stream_t *dnssync_stream_create(const dnssync_key_t *key,
    const dnssync_mac_t *request);
void dnssync_stream_free(dnssync_stream_t *s);
dnssync_tsig_e dnssync_stream_verify(dnssync_stream_t *s, uint64_t now,
    torii_str_t message, dnssync_tsig_t *tsig);
/* Whether the last message was signed. */
int dnssync_stream_settled(const dnssync_stream_t *s);

/* "BADKEY: the server has no TSIG key …": of tsig->error, or of LATE. */
void dnssync_tsig_text(const dnssync_tsig_t *tsig,
    char text[DNSSYNC_ERROR_MAX]);
/* Why an answer is not taken; "" of GOOD. */
const char *dnssync_tsig_word(dnssync_tsig_e found);


#endif /* _DNSSYNC_TSIG_H_INCLUDED_ */
