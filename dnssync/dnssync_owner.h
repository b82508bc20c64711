
/*
 * Whose a record is.  A DNS server does not tell who wrote a record, hence a
 * mark beside it: a TXT record or, where the provider has a place for it, a
 * tag at the record itself.  Three forms are known:
 *
 * own       one TXT record for each host, below it: "_dnssync.www.a.example",
 *           "_dnssync-w.a.example" for "*.a.example".  It stays inside of the
 *           zone at its apex, clashes with no CNAME and names no host.
 *           "heritage=torii,owner=ID,types=A+AAAA,resource=ingress/NS/NAME"
 * native    the same text as the provider's comment, label or metadata.
 * external  ExternalDNS's TXT registry: one record for each type of a host,
 *           named by prefix, suffix, "%{record_type}" and a word in place of
 *           "*", its text perhaps encrypted (AES-256-GCM over gzip); and the
 *           records of its versions up to 0.17, without the type.
 *
 * All names and texts are bytes: no final dot, no quotes.
 */

#ifndef _DNSSYNC_OWNER_H_INCLUDED_
#define _DNSSYNC_OWNER_H_INCLUDED_


#include "dnssync.h"


#define DNSSYNC_HOST_MAX      253        /* of a name without escapes */
#define DNSSYNC_OWNER_MAX     128        /* of an owner's id */
#define DNSSYNC_RESOURCE_MAX  512
#define DNSSYNC_AFFIX_MAX     128
#define DNSSYNC_OWNER_KEY     32

/* types that a host is published with; a set of them is a mask */
#define DNSSYNC_HAS_A         0x01
#define DNSSYNC_HAS_AAAA      0x02
#define DNSSYNC_HAS_CNAME     0x04
#define DNSSYNC_HAS_ALL       0x07
#define DNSSYNC_TYPES         3


typedef enum {
    DNSSYNC_FORM_OWN = 0,
    DNSSYNC_FORM_NATIVE,
    DNSSYNC_FORM_EXTERNAL,
    DNSSYNC_FORM_EXTERNAL_OLD  /* read and kept, not made anew */
} dnssync_form_e;


typedef struct {
    dnssync_form_e   form;      /* for hosts that have none yet */
    torii_str_t      id;
    torii_str_t      prefix;    /* of ExternalDNS: --txt-prefix, */
    torii_str_t      suffix;    /* --txt-suffix, */
    torii_str_t      wildcard;  /* --txt-wildcard-replacement, and */
    torii_str_t      key;       /* the AES key, 32 bytes; empty: plain text */
} dnssync_registry_t;


typedef struct {
    torii_str_t      id;
    torii_str_t      resource;
    torii_str_t      instance;  /* of a zone's lock: who writes, */
    uint64_t         beat;      /* when that was last told, */
    uint32_t         period;    /* and seconds until it is again; 0: not said */
    unsigned         types;     /* a mask; 0: not said */
    unsigned         external:1;
} dnssync_owner_t;


/* NULL: it can be used; else what is wrong with it (static). */
const char *dnssync_registry_check(const dnssync_registry_t *registry);
/* The key as ExternalDNS takes it: 32 bytes, or base64 of them. */
int dnssync_registry_key(torii_arena_t *a, torii_str_t text, torii_str_t *key);


/*
 * A mark's text.  TORII_DECLINED: it is none.  Strings of owner are in the
 * arena, or refer to text.  Texts that can be decrypted are.
 */
int dnssync_owner_read(const dnssync_registry_t *registry, torii_arena_t *a,
    torii_str_t text, dnssync_owner_t *owner);
/* TORII_ERROR: it cannot be encrypted. */
int dnssync_owner_write(const dnssync_registry_t *registry,
    dnssync_form_e form, const dnssync_owner_t *owner, torii_buf_t *b);

/*
 * The name of the TXT record that marks a host, or one type of it.  Returns
 * its length, 0 if there can be no such name.
 */
size_t dnssync_owner_name(const dnssync_registry_t *registry,
    dnssync_form_e form, torii_str_t host, unsigned type,
    unsigned char name[DNSSYNC_HOST_MAX]);

/*
 * The other way round: what host and type (0: any) a name marks; host may be
 * longer than the name.  TORII_DECLINED: none.  A name of ExternalDNS can be
 * read in more than one way; this is the one it takes.
 */
int dnssync_owner_host(const dnssync_registry_t *registry, torii_str_t name,
    dnssync_form_e *form, unsigned *type, torii_str_t *host,
    unsigned char buf[DNSSYNC_HOST_MAX]);


/* dnssync_seal.c: base64(nonce, AES-256-GCM(gzip(text)), tag) */
int dnssync_seal(torii_str_t key, torii_str_t text, torii_buf_t *out);
int dnssync_unseal(torii_arena_t *a, torii_str_t key, torii_str_t sealed,
    torii_str_t *text);


#endif /* _DNSSYNC_OWNER_H_INCLUDED_ */
