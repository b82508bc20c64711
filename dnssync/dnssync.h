
/*
 * DNS zones that Torii writes to: changes by RFC 2136, signed by TSIG (RFC
 * 8945), and the questions that tell whether a change has arrived at all
 * servers of a zone.  sans-IO: requests come out, answers go in; sockets,
 * timers and random ids are the caller's.  Instants are seconds since 1970.
 *
 * Names are text, "a.example"; a dot at the end may be there.
 */

#ifndef _DNSSYNC_H_INCLUDED_
#define _DNSSYNC_H_INCLUDED_


#include "torii.h"


#define DNSSYNC_NAME_MAX   255         /* bytes on the wire */
#define DNSSYNC_TEXT_MAX   1024        /* as text, its escapes and NUL too */
#define DNSSYNC_ERROR_MAX  512
#define DNSSYNC_UDP_MAX    512         /* a longer request goes by TCP */
#define DNSSYNC_VALUE_MAX  4096        /* of a TXT record */

/* types of records */
#define DNSSYNC_A          1
#define DNSSYNC_NS         2
#define DNSSYNC_CNAME      5
#define DNSSYNC_SOA        6
#define DNSSYNC_TXT        16
#define DNSSYNC_AAAA       28
#define DNSSYNC_TSIG       250


/* What follows from an answer. */

typedef enum {
    DNSSYNC_DONE = 0,
    DNSSYNC_MORE,              /* there is another request to send */
    DNSSYNC_IGNORED,           /* no answer to this: go on waiting for it */
    DNSSYNC_TRUNCATED,         /* the same request again, by TCP */
    DNSSYNC_MISSING,           /* the record is not there (yet) */
    DNSSYNC_FAILED             /* error says why */
} dnssync_step_e;


/*
 * A key of TSIG.  algorithm: "HMACSHA256", "hmac-sha256", "hmac-sha256." and
 * the like, for MD5, SHA1, SHA224, SHA256, SHA384, SHA512, in any case; empty:
 * HMACMD5, as cert-manager has it.  The secret's bytes are copied, and wiped
 * by dnssync_key_free().  NULL: *why says what is wrong (static).
 */

typedef struct dnssync_key_s  dnssync_key_t;

dnssync_key_t *dnssync_key_create(torii_str_t name, torii_str_t algorithm,
    torii_str_t secret, const char **why);
void dnssync_key_free(dnssync_key_t *key);


/*
 * Adds or removes one value of a TXT record at the primary server of its zone;
 * other values at the name stay.  The zone is found first, by questions for
 * its SOA to that same server.  The key, which may be NULL, is referred to.
 */

typedef struct dnssync_change_s  dnssync_change_t;

dnssync_change_t *dnssync_change_txt(torii_str_t name, torii_str_t value,
    int add, uint32_t ttl, const dnssync_key_t *key, const char **why);
void dnssync_change_free(dnssync_change_t *c);

/*
 * The request to send, appended to an empty out.  The same bytes may be sent
 * again; each call makes another request.  TORII_ERROR: no signature (OpenSSL).
 */
int dnssync_change_request(dnssync_change_t *c, uint64_t now, unsigned id,
    torii_buf_t *out);
/* DONE, MORE, IGNORED, TRUNCATED or FAILED. */
dnssync_step_e dnssync_change_answer(dnssync_change_t *c, uint64_t now,
    torii_str_t answer);
/*
 * Why it failed; after IGNORED: why the answer was not taken, for the case
 * that no other comes; "" if there is nothing to say.
 */
const char *dnssync_change_error(const dnssync_change_t *c);


/* One question, without recursion; TORII_ERROR: name is none. */
int dnssync_question(torii_buf_t *out, unsigned id, torii_str_t name,
    unsigned type);

/*
 * What an authoritative server says of a TXT record to the request made by
 * dnssync_question(): DONE, it has the value; MISSING, IGNORED, TRUNCATED,
 * FAILED.  error says why, unless DONE.
 */
dnssync_step_e dnssync_txt_answer(torii_str_t answer, torii_str_t request,
    torii_str_t value, char error[DNSSYNC_ERROR_MAX]);

/*
 * The same of a whole set of A, AAAA, CNAME, NS or TXT, of the question's type:
 * DONE, it is these values and no others; without values, there is none.
 */
dnssync_step_e dnssync_set_answer(torii_str_t answer, torii_str_t request,
    const torii_str_t *values, uint32_t n, char error[DNSSYNC_ERROR_MAX]);


/*
 * Which servers are authoritative for a name, and what it is an alias of, from
 * the answers of a resolver.  Ask for question and type, hand the answer back.
 */

#define DNSSYNC_SERVERS_MAX  16

typedef struct dnssync_find_s  dnssync_find_t;

/* follow: aliases (CNAME) of the name first; servers: not only those. */
dnssync_find_t *dnssync_find_create(torii_str_t name, int follow, int servers);
void dnssync_find_free(dnssync_find_t *f);
const char *dnssync_find_question(const dnssync_find_t *f, unsigned *type);
/* DONE, MORE or FAILED. */
dnssync_step_e dnssync_find_answer(dnssync_find_t *f, torii_str_t answer);
const char *dnssync_find_error(const dnssync_find_t *f);
/* The name at the end of its aliases. */
const char *dnssync_find_name(const dnssync_find_t *f);
/* NULL when i is past the last; without the dot at the end. */
const char *dnssync_find_server(const dnssync_find_t *f, unsigned i);


#endif /* _DNSSYNC_H_INCLUDED_ */
