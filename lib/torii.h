
/*
 * What two or more rooms of Torii share: counted strings, an arena, a byte
 * buffer and hashing.  Nothing here knows nginx, Kubernetes or a protocol.
 */

#ifndef _TORII_H_INCLUDED_
#define _TORII_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


#define TORII_VERSION   "0.1.0"

#define TORII_OK         0
#define TORII_ERROR     -1
#define TORII_AGAIN     -2
#define TORII_DECLINED  -5


/* A counted string; data need not end in NUL and may hold any byte. */

typedef struct {
    size_t          len;
    unsigned char  *data;
} torii_str_t;

#define torii_string(s)  { sizeof(s) - 1, (unsigned char *) (s) }
#define torii_null_string  { 0, NULL }

/* "%.*s" arguments for printf() */
#define torii_str_arg(s)  (int) (s).len, (const char *) (s).data


torii_str_t torii_str(const char *s);
int torii_str_eq(torii_str_t a, torii_str_t b);
int torii_str_eqs(torii_str_t a, const char *s);
int torii_str_caseeq(torii_str_t a, torii_str_t b);
int torii_str_caseeqs(torii_str_t a, const char *s);
int torii_str_starts(torii_str_t s, const char *prefix);

/* Order of bytes, shorter first: <0, 0, >0. */
int torii_str_cmp(torii_str_t a, torii_str_t b);

/* ASCII blanks (space, tab, CR, LF) cut off both ends. */
torii_str_t torii_str_trim(torii_str_t s);

/*
 * Take the next piece of *rest up to any byte of delims; the delimiter goes.
 * Returns 0 when *rest was NULL, that is, after the last piece.
 */
int torii_str_next(torii_str_t *rest, const char *delims, torii_str_t *piece);

/* A byte below 0x20 or 0x7f, which no string of an object may hold. */
int torii_str_has_control(torii_str_t s);

/* Well-formed UTF-8: no overlong form, no surrogate (RFC 3629). */
int torii_str_is_utf8(torii_str_t s);

/* Bytes of the well-formed character at p, 0 if there is none. */
size_t torii_utf8_len(const unsigned char *p, const unsigned char *last);

/* Decimal digits only, no sign, at most max; TORII_ERROR otherwise. */
int torii_str_uint(torii_str_t s, uint64_t max, uint64_t *value);

/* The edit distance (insert, delete, replace, swap), or limit if larger. */
unsigned torii_str_distance(torii_str_t a, torii_str_t b, unsigned limit);


/*
 * An arena: many small allocations, freed together.  Allocation never fails:
 * a process out of memory ends by abort(), with a line on stderr.  (The helper
 * is restarted by nginx's master and goes on from the last table.)
 */

typedef struct torii_arena_s  torii_arena_t;

torii_arena_t *torii_arena_create(size_t block);
void torii_arena_destroy(torii_arena_t *a);

/* Aligned to 16 bytes; zeroed by torii_arena_zalloc(). */
void *torii_arena_alloc(torii_arena_t *a, size_t size);
void *torii_arena_zalloc(torii_arena_t *a, size_t size);

/* A copy with a NUL after the last byte, which len does not count. */
torii_str_t torii_arena_str(torii_arena_t *a, torii_str_t s);
torii_str_t torii_arena_printf(torii_arena_t *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes that were asked for, to hold a source to its limit. */
size_t torii_arena_used(const torii_arena_t *a);


/* malloc() and friends that end the process instead of returning NULL. */

void *torii_malloc(size_t size);
void *torii_zalloc(size_t size);
void *torii_realloc(void *p, size_t size);


/* A growing byte buffer; torii_buf_free() gives its memory back. */

typedef struct {
    unsigned char  *data;
    size_t          len;
    size_t          size;
} torii_buf_t;

void torii_buf_free(torii_buf_t *b);
void torii_buf_add(torii_buf_t *b, const void *data, size_t len);
void torii_buf_adds(torii_buf_t *b, const char *s);
void torii_buf_add_str(torii_buf_t *b, torii_str_t s);
void torii_buf_printf(torii_buf_t *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* s as a JSON string with its quotes; bytes that are not UTF-8 as U+FFFD. */
void torii_buf_add_json(torii_buf_t *b, torii_str_t s);

/* Room for len more bytes at the end, not counted until b->len grows. */
unsigned char *torii_buf_room(torii_buf_t *b, size_t len);


/*
 * Fast hash for tables and checksums (wyhash's construction), not for secrets.
 */
uint64_t torii_hash(const void *data, size_t len, uint64_t seed);


/*
 * Base64 (RFC 4648 section 4), white space skipped.  Returns TORII_ERROR on
 * any other byte or on wrong padding.
 */
int torii_base64_decode(torii_arena_t *a, torii_str_t in, torii_str_t *out);


#endif /* _TORII_H_INCLUDED_ */
