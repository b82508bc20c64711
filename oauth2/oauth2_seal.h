
/*
 * Sealing what a browser keeps for us: AES-256-GCM by one of up to four keys,
 * as base64url(version | pieces | key id (4) | nonce (12) | text | tag (16)).
 * What it is for, and for whom, is authenticated with it, so that nothing
 * sealed for one use, host or provider opens for another.
 */

#ifndef _OAUTH2_SEAL_H_INCLUDED_
#define _OAUTH2_SEAL_H_INCLUDED_


#include "oauth2.h"


#define OAUTH2_KEYS_MAX     4
#define OAUTH2_SECRET_MIN   32          /* bytes */
#define OAUTH2_PIECES_MAX   3
#define OAUTH2_PIECE        3840        /* characters; with name and attributes
                                           a cookie has less than 4096 bytes */
#define OAUTH2_SEALED_MAX   (OAUTH2_PIECES_MAX * OAUTH2_PIECE)
#define OAUTH2_OPEN_MAX     (OAUTH2_SEALED_MAX / 4 * 3)   /* bytes of room */


typedef struct oauth2_ring_s  oauth2_ring_t;

/*
 * The first secret seals, all of them open.  Keys and their ids are derived
 * from the secrets (HKDF-SHA256, RFC 5869) and equal on all replicas.  NULL:
 * *error says which rule a secret breaks, without any of its bytes.  Not for
 * two threads at once.
 */
oauth2_ring_t *oauth2_ring_create(const torii_str_t *secrets, uint32_t n,
    const char **error);
void oauth2_ring_free(oauth2_ring_t *ring);

/* HKDF-SHA256 without salt; info tells what the bytes are for. */
int oauth2_derive(torii_str_t secret, const char *info, unsigned char *out,
    size_t len);


typedef enum {
    OAUTH2_USE_SESSION = 1,
    OAUTH2_USE_STATE,
    OAUTH2_USE_HANDOFF,
    OAUTH2_USE_REFRESH,
    OAUTH2_USE_TICKET
} oauth2_use_e;

/* Each string has at most 255 bytes. */

typedef struct {
    oauth2_use_e   use;
    torii_str_t    name;        /* of the cookie */
    torii_str_t    host;
    torii_str_t    provider;
} oauth2_bind_t;


/*
 * Appends the sealed text, at most OAUTH2_SEALED_MAX characters, to be cut
 * every OAUTH2_PIECE.  TORII_ERROR: too large, or no random numbers are to be
 * had.
 */
int oauth2_seal(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t plain, torii_buf_t *out);

/* How many pieces the text says to consist of, by its first; 0: nonsense. */
uint32_t oauth2_seal_pieces(torii_str_t text);

/*
 * Opens text into room of OAUTH2_OPEN_MAX bytes, which *plain points into.
 * *old: 1, sealed by a key that is not the first.  OAUTH2_SESSION_FORM, _KEY or
 * _TAG otherwise.
 */
oauth2_fail_e oauth2_open(oauth2_ring_t *ring, const oauth2_bind_t *bind,
    torii_str_t text, unsigned char *room, torii_str_t *plain, int *old);


#endif /* _OAUTH2_SEAL_H_INCLUDED_ */
