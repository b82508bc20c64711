
/*
 * Memory that is there or ends the process: malloc() and an arena.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "torii.h"


#define TORII_ARENA_ALIGN  16
#define TORII_ARENA_MIN    256
#define TORII_ARENA_GROW   (64 * 1024)

/*
 * Under AddressSanitizer each allocation is a block of its own, so that a byte
 * too far is seen.
 */

#if defined(__SANITIZE_ADDRESS__)
#define TORII_ARENA_SINGLE  1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TORII_ARENA_SINGLE  1
#endif
#endif

#ifndef TORII_ARENA_SINGLE
#define TORII_ARENA_SINGLE  0
#endif

#define torii_align(n, a)                                                     \
    (((uintptr_t) (n) + ((uintptr_t) (a) - 1)) & ~((uintptr_t) (a) - 1))


typedef struct torii_arena_block_s  torii_arena_block_t;

struct torii_arena_block_s {
    torii_arena_block_t  *next;
};

/* The arena lies at the start of its first block. */

struct torii_arena_s {
    unsigned char        *p;         /* free bytes of the current block */
    unsigned char        *last;
    size_t                block;     /* size of the next block */
    size_t                used;
    torii_arena_block_t  *blocks;    /* all but the first */
};


static void
torii_mem_exhausted(size_t size)
{
    fprintf(stderr, "torii: cannot allocate %zu bytes\n", size);
    abort();
}


void *
torii_malloc(size_t size)
{
    void  *p;

    p = malloc(size ? size : 1);
    if (p == NULL) {
        torii_mem_exhausted(size);
    }

    return p;
}


void *
torii_zalloc(size_t size)
{
    void  *p;

    p = calloc(1, size ? size : 1);
    if (p == NULL) {
        torii_mem_exhausted(size);
    }

    return p;
}


void *
torii_realloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (p == NULL) {
        torii_mem_exhausted(size);
    }

    return p;
}


torii_arena_t *
torii_arena_create(size_t block)
{
    size_t          size;
    torii_arena_t  *a;

    if (block < TORII_ARENA_MIN) {
        block = TORII_ARENA_MIN;
    }

    size = TORII_ARENA_SINGLE ? sizeof(torii_arena_t) : block;

    a = torii_malloc(size);

    a->p = (unsigned char *) a + sizeof(torii_arena_t);
    a->last = (unsigned char *) a + size;
    a->block = block;
    a->used = 0;
    a->blocks = NULL;

    return a;
}


void
torii_arena_destroy(torii_arena_t *a)
{
    torii_arena_block_t  *b, *next;

    if (a == NULL) {
        return;
    }

    for (b = a->blocks; b != NULL; b = next) {
        next = b->next;
        free(b);
    }

    free(a);
}


static unsigned char *
torii_arena_block(torii_arena_t *a, size_t size)
{
    torii_arena_block_t  *b;

    if (size > SIZE_MAX / 2) {
        torii_mem_exhausted(size);
    }

    size += TORII_ARENA_ALIGN;

    b = torii_malloc(size);

    b->next = a->blocks;
    a->blocks = b;

    return (unsigned char *) b + TORII_ARENA_ALIGN;
}


/*
 * Blocks double up to TORII_ARENA_GROW: an arena of one small object stays
 * small, a large one takes few calls of malloc().  What would waste much of a
 * block gets one of its own.
 */

static void *
torii_arena_more(torii_arena_t *a, size_t size)
{
    size_t          block;
    unsigned char  *p;

    if (TORII_ARENA_SINGLE || size > a->block / 4) {
        return torii_arena_block(a, size);
    }

    if (a->block < TORII_ARENA_GROW) {
        a->block *= 2;
    }

    block = a->block - TORII_ARENA_ALIGN;
    p = torii_arena_block(a, block);

    a->p = p + size;
    a->last = p + block;

    return p;
}


void *
torii_arena_alloc(torii_arena_t *a, size_t size)
{
    unsigned char  *p;

    a->used += size;

    p = (unsigned char *) torii_align(a->p, TORII_ARENA_ALIGN);

    if (p <= a->last && size < (size_t) (a->last - p)) {
        a->p = p + size;
        return p;
    }

    return torii_arena_more(a, size);
}


void *
torii_arena_zalloc(torii_arena_t *a, size_t size)
{
    void  *p;

    p = torii_arena_alloc(a, size);
    memset(p, 0, size);

    return p;
}


/* Strings lie side by side, unaligned. */

static unsigned char *
torii_arena_bytes(torii_arena_t *a, size_t size)
{
    unsigned char  *p;

    a->used += size;

    if (size < (size_t) (a->last - a->p)) {
        p = a->p;
        a->p += size;
        return p;
    }

    return torii_arena_more(a, size);
}


torii_str_t
torii_arena_str(torii_arena_t *a, torii_str_t s)
{
    torii_str_t  copy;

    copy.len = s.len;
    copy.data = torii_arena_bytes(a, s.len + 1);

    if (s.len) {
        memcpy(copy.data, s.data, s.len);
    }

    copy.data[s.len] = '\0';

    return copy;
}


torii_str_t
torii_arena_printf(torii_arena_t *a, const char *fmt, ...)
{
    int          n;
    char         small[256];
    va_list      args;
    torii_str_t  s;

    va_start(args, fmt);
    n = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);

    s.len = (n < 0) ? 0 : (size_t) n;

    if (s.len < sizeof(small)) {
        s.data = (unsigned char *) small;
        return torii_arena_str(a, s);
    }

    s.data = torii_arena_bytes(a, s.len + 1);

    va_start(args, fmt);
    (void) vsnprintf((char *) s.data, s.len + 1, fmt, args);
    va_end(args);

    return s;
}


size_t
torii_arena_used(const torii_arena_t *a)
{
    return a->used;
}
