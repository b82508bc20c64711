
/*
 * Regular expressions by PCRE2, with limits, and the cache that keeps them.
 *
 * Subjects are bytes, as in nginx's own locations, whatever the pattern says.
 *
 * PCRE2 counts backtracking steps for each position in the subject where a
 * match may start, so that a pattern which is not anchored has the limit once
 * a byte.  Such a pattern is tried at a few positions at a time, with a look
 * at the clock in between.
 *
 * What many patterns may take together is limited, too.  The clock is looked at
 * once in a few patterns, or after one that took long, and it is the cheap one:
 * only when much time seems to have passed, that of the processor is asked,
 * since the process may have been waiting for others.
 */

#define PCRE2_CODE_UNIT_WIDTH  8

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <pcre2.h>

#include "torii_regex.h"


/*
 * Steps before a match is given up: about a millisecond.  Machine code counts
 * what it enters, the interpreter each byte that it gives back.
 */
#define TORII_REGEX_JIT_LIMIT    20000
#define TORII_REGEX_LIMIT        100000

/* Start positions to try at once, and milliseconds for all of them. */
#define TORII_REGEX_STEP         16
#define TORII_REGEX_TIME         10

/* Patterns between two looks, and milliseconds that all may take. */
#define TORII_REGEX_LOOK         4
#define TORII_REGEX_BUDGET       5

/* Milliseconds for compiling what a full cache has lost. */
#define TORII_REGEX_COMPILE      250

/* KB that a match may use where there is no JIT. */
#define TORII_REGEX_HEAP_LIMIT   4096

#define TORII_REGEX_STACK_MIN    (32 * 1024)
#define TORII_REGEX_STACK_MAX    (1024 * 1024)

/* Machine code is several times the size of what it is made from. */
#define TORII_REGEX_JIT_MAX      (16 * 1024)

#define TORII_REGEX_PARENS       100

#define TORII_REGEX_END          UINT32_MAX

#ifdef CLOCK_MONOTONIC_COARSE
#define TORII_REGEX_CLOCK        CLOCK_MONOTONIC_COARSE
#else
#define TORII_REGEX_CLOCK        CLOCK_MONOTONIC
#endif


struct torii_regex_s {
    torii_regex_cache_t  *cache;
    pcre2_code           *code;      /* NULL: does not compile */
    torii_str_t           pattern;
    uint64_t              hash;
    unsigned              flags;
    uint32_t              limit;     /* of steps */
    uint32_t              next;      /* in the bucket */
    unsigned              anchored:1;
    unsigned              used:1;    /* since the clock's hand came by */
};

/* Of the matches since torii_regex_begin(); times of the processor in us. */

typedef struct {
    unsigned                 begun:1;
    unsigned                 look:1;     /* the last one took long */
    uint32_t                 tried;
    uint64_t                 since;      /* ms, of the first match */
    uint64_t                 cpu;        /* 0: not asked yet */
    uint64_t                 compiled;   /* when it was asked */
} torii_regex_budget_t;

struct torii_regex_cache_s {
    torii_regex_t           *entries;
    uint32_t                *buckets;
    uint32_t                 mask;
    uint32_t                 n;
    uint32_t                 max;
    uint32_t                 hand;
    pcre2_general_context   *general;
    pcre2_compile_context   *compile;
    pcre2_match_context     *match;
    pcre2_match_data        *data;
    pcre2_jit_stack         *stack;
    torii_regex_budget_t     budget;
    uint64_t                 compiled;   /* us spent on compiling */
};


/* An empty subject or pattern may come without an address. */

static PCRE2_SPTR
torii_regex_text(torii_str_t s)
{
    return (PCRE2_SPTR) (s.len ? (const char *) s.data : "");
}


/* PCRE2 never sees a failed allocation, so that its NULLs need no test. */

static void *
torii_regex_malloc(PCRE2_SIZE size, void *data)
{
    return torii_malloc(size);
}


static void
torii_regex_free(void *p, void *data)
{
    free(p);
}


static pcre2_compile_context *
torii_regex_compile_context(pcre2_general_context *general)
{
    pcre2_compile_context  *ctx;

    ctx = pcre2_compile_context_create(general);

    (void) pcre2_set_max_pattern_length(ctx, TORII_REGEX_MAX);
    (void) pcre2_set_parens_nest_limit(ctx, TORII_REGEX_PARENS);

    return ctx;
}


static pcre2_code *
torii_regex_compile(pcre2_compile_context *ctx, torii_str_t pattern,
    unsigned flags, int *error, PCRE2_SIZE *offset)
{
    uint32_t  options;

    options = PCRE2_NEVER_UTF|PCRE2_NEVER_UCP|PCRE2_USE_OFFSET_LIMIT;

    if (flags & TORII_REGEX_CASELESS) {
        options |= PCRE2_CASELESS;
    }

    if (flags & TORII_REGEX_ANCHORED) {
        options |= PCRE2_ANCHORED;
    }

    return pcre2_compile(torii_regex_text(pattern), pattern.len, options,
                         error, offset, ctx);
}


int
torii_regex_check(torii_str_t pattern, unsigned flags, char error[128])
{
    int                     code;
    char                    reason[100];
    PCRE2_SIZE              offset;
    pcre2_code             *re;
    pcre2_compile_context  *ctx;
    pcre2_general_context  *general;

    if (pattern.len > TORII_REGEX_MAX) {
        (void) snprintf(error, 128, "longer than %d bytes", TORII_REGEX_MAX);
        return TORII_ERROR;
    }

    general = pcre2_general_context_create(torii_regex_malloc,
                                           torii_regex_free, NULL);
    ctx = torii_regex_compile_context(general);

    re = torii_regex_compile(ctx, pattern, flags, &code, &offset);

    pcre2_compile_context_free(ctx);
    pcre2_general_context_free(general);

    if (re == NULL) {
        (void) pcre2_get_error_message(code, (PCRE2_UCHAR *) reason,
                                       sizeof(reason));
        (void) snprintf(error, 128, "%s at offset %zu", reason,
                        (size_t) offset);
        return TORII_ERROR;
    }

    pcre2_code_free(re);
    error[0] = '\0';

    return TORII_OK;
}


torii_regex_cache_t *
torii_regex_cache_create(uint32_t max)
{
    uint32_t              i, buckets;
    torii_regex_cache_t  *cache;

    if (max == 0) {
        max = 1;
    }

    for (buckets = 16; buckets < max && buckets < 0x40000000; buckets *= 2) {
        /* void */
    }

    cache = torii_zalloc(sizeof(torii_regex_cache_t));

    cache->max = max;
    cache->mask = buckets - 1;
    cache->entries = torii_zalloc(max * sizeof(torii_regex_t));
    cache->buckets = torii_malloc(buckets * sizeof(uint32_t));

    for (i = 0; i < buckets; i++) {
        cache->buckets[i] = TORII_REGEX_END;
    }

    cache->general = pcre2_general_context_create(torii_regex_malloc,
                                                  torii_regex_free, NULL);
    cache->compile = torii_regex_compile_context(cache->general);
    cache->data = pcre2_match_data_create(TORII_REGEX_CAPTURES, cache->general);
    cache->match = pcre2_match_context_create(cache->general);

    (void) pcre2_set_depth_limit(cache->match, TORII_REGEX_LIMIT);
    (void) pcre2_set_heap_limit(cache->match, TORII_REGEX_HEAP_LIMIT);

    /* NULL where PCRE2 has no JIT, or the system forbids what it needs */

    cache->stack = pcre2_jit_stack_create(TORII_REGEX_STACK_MIN,
                                          TORII_REGEX_STACK_MAX,
                                          cache->general);
    if (cache->stack != NULL) {
        pcre2_jit_stack_assign(cache->match, NULL, cache->stack);
    }

    return cache;
}


void
torii_regex_cache_destroy(torii_regex_cache_t *cache)
{
    uint32_t  i;

    if (cache == NULL) {
        return;
    }

    for (i = 0; i < cache->n; i++) {
        pcre2_code_free(cache->entries[i].code);
        free(cache->entries[i].pattern.data);
    }

    pcre2_jit_stack_free(cache->stack);
    pcre2_match_context_free(cache->match);
    pcre2_match_data_free(cache->data);
    pcre2_compile_context_free(cache->compile);
    pcre2_general_context_free(cache->general);

    free(cache->buckets);
    free(cache->entries);
    free(cache);
}


static void
torii_regex_unlink(torii_regex_cache_t *cache, uint32_t index)
{
    uint32_t  *link;

    link = &cache->buckets[cache->entries[index].hash & cache->mask];

    while (*link != index) {
        link = &cache->entries[*link].next;
    }

    *link = cache->entries[index].next;
}


/* A free entry, or the first that was not used since the hand's last round. */

static uint32_t
torii_regex_slot(torii_regex_cache_t *cache)
{
    uint32_t        index;
    torii_regex_t  *re;

    if (cache->n < cache->max) {
        return cache->n++;
    }

    for ( ;; ) {
        index = cache->hand;
        re = &cache->entries[index];

        cache->hand = (index + 1 == cache->max) ? 0 : index + 1;

        if (!re->used) {
            break;
        }

        re->used = 0;
    }

    torii_regex_unlink(cache, index);
    pcre2_code_free(re->code);
    free(re->pattern.data);

    return index;
}


static void
torii_regex_study(torii_regex_cache_t *cache, torii_regex_t *re)
{
    size_t    size;
    uint32_t  options;

    re->limit = TORII_REGEX_LIMIT;
    re->anchored = 0;

    if (re->code == NULL) {
        return;
    }

    if (pcre2_pattern_info(re->code, PCRE2_INFO_ALLOPTIONS, &options) == 0) {
        re->anchored = (options & PCRE2_ANCHORED) ? 1 : 0;
    }

    if (cache->stack != NULL
        && pcre2_pattern_info(re->code, PCRE2_INFO_SIZE, &size) == 0
        && size <= TORII_REGEX_JIT_MAX
        && pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0
        && pcre2_pattern_info(re->code, PCRE2_INFO_JITSIZE, &size) == 0
        && size != 0)
    {
        re->limit = TORII_REGEX_JIT_LIMIT;
    }
}


static uint64_t
torii_regex_cpu(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static torii_regex_t *
torii_regex_add(torii_regex_cache_t *cache, torii_str_t pattern, unsigned flags,
    uint64_t hash)
{
    int             error;
    uint32_t        index, *bucket;
    uint64_t        start;
    PCRE2_SIZE      offset;
    torii_regex_t  *re;

    start = torii_regex_cpu();

    index = torii_regex_slot(cache);
    re = &cache->entries[index];

    re->cache = cache;
    re->hash = hash;
    re->flags = flags;
    re->used = 1;
    re->pattern.len = pattern.len;
    re->pattern.data = torii_malloc(pattern.len);

    if (pattern.len) {
        memcpy(re->pattern.data, pattern.data, pattern.len);
    }

    re->code = torii_regex_compile(cache->compile, pattern, flags, &error,
                                   &offset);

    torii_regex_study(cache, re);

    cache->compiled += torii_regex_cpu() - start;

    bucket = &cache->buckets[hash & cache->mask];

    re->next = *bucket;
    *bucket = index;

    return re;
}


/* What does not compile is remembered too, so that it costs once only. */

torii_regex_t *
torii_regex_get(torii_regex_cache_t *cache, torii_str_t pattern,
    unsigned flags)
{
    uint32_t        index;
    uint64_t        hash;
    torii_regex_t  *re;

    if (pattern.len > TORII_REGEX_MAX) {
        return NULL;
    }

    hash = torii_hash(pattern.data, pattern.len, flags);

    index = cache->buckets[hash & cache->mask];

    while (index != TORII_REGEX_END) {
        re = &cache->entries[index];

        if (re->hash == hash && re->flags == flags
            && torii_str_eq(re->pattern, pattern))
        {
            re->used = 1;
            return (re->code != NULL) ? re : NULL;
        }

        index = re->next;
    }

    re = torii_regex_add(cache, pattern, flags, hash);

    return (re->code != NULL) ? re : NULL;
}


static void
torii_regex_captures(pcre2_match_data *data, int n, torii_str_t subject,
    torii_str_t captures[TORII_REGEX_CAPTURES])
{
    int          i;
    PCRE2_SIZE  *v;

    v = pcre2_get_ovector_pointer(data);

    for (i = 0; i < TORII_REGEX_CAPTURES; i++, v += 2) {
        captures[i].len = 0;
        captures[i].data = (unsigned char *) torii_regex_text(subject);

        /* "\K" may leave a start behind the end */

        if (i < n && v[0] != PCRE2_UNSET && v[0] < v[1]) {
            captures[i].len = v[1] - v[0];
            captures[i].data += v[0];
        }
    }
}


static uint64_t
torii_regex_msec(clockid_t clock)
{
    struct timespec  ts;

    (void) clock_gettime(clock, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static int
torii_regex_run(torii_regex_t *re, torii_str_t subject)
{
    int                   rc;
    size_t                from, end;
    uint64_t              start, spent;
    torii_regex_cache_t  *cache;

    cache = re->cache;
    from = 0;

    start = (re->anchored || subject.len < TORII_REGEX_STEP)
            ? 0 : torii_regex_msec(CLOCK_MONOTONIC);

    (void) pcre2_set_match_limit(cache->match, re->limit);

    for ( ;; ) {
        end = re->anchored ? PCRE2_UNSET : from + TORII_REGEX_STEP - 1;

        (void) pcre2_set_offset_limit(cache->match, end);

        rc = pcre2_match(re->code, torii_regex_text(subject), subject.len,
                         from, 0, cache->data, cache->match);

        if (rc != PCRE2_ERROR_NOMATCH || end >= subject.len) {
            return rc;
        }

        spent = torii_regex_msec(CLOCK_MONOTONIC) - start;

        if (spent > TORII_REGEX_TIME) {
            return PCRE2_ERROR_MATCHLIMIT;
        }

        cache->budget.look |= (spent > 1);

        from = end + 1;
    }
}


void
torii_regex_begin(torii_regex_cache_t *cache)
{
    cache->budget.begun = 1;
    cache->budget.look = 0;
    cache->budget.tried = 0;
}


static int
torii_regex_spent(torii_regex_cache_t *cache)
{
    uint64_t               now, compiled;
    torii_regex_budget_t  *budget;

    budget = &cache->budget;
    budget->look = 0;

    now = torii_regex_msec(TORII_REGEX_CLOCK);

    if (budget->tried == 0) {
        budget->since = now;
        budget->cpu = 0;
    }

    if (now - budget->since <= TORII_REGEX_BUDGET) {
        return 0;
    }

    now = torii_regex_cpu();

    if (budget->cpu == 0) {
        budget->cpu = now;
        budget->compiled = cache->compiled;
        return 0;
    }

    compiled = cache->compiled - budget->compiled;

    return now - budget->cpu - compiled > TORII_REGEX_BUDGET * 1000
           || compiled > TORII_REGEX_COMPILE * 1000;
}


int
torii_regex_match(torii_regex_t *re, torii_str_t subject,
    torii_str_t captures[TORII_REGEX_CAPTURES])
{
    int                    rc;
    torii_regex_cache_t   *cache;
    torii_regex_budget_t  *budget;

    cache = re->cache;
    budget = &cache->budget;

    if (budget->begun) {

        if ((budget->look || budget->tried % TORII_REGEX_LOOK == 0)
            && torii_regex_spent(cache))
        {
            return TORII_ERROR;
        }

        budget->tried++;
    }

    rc = torii_regex_run(re, subject);

    if (rc < 0) {
        return (rc == PCRE2_ERROR_NOMATCH) ? TORII_DECLINED : TORII_ERROR;
    }

    /* zero: there are more groups than captures */

    torii_regex_captures(re->cache->data, rc ? rc : TORII_REGEX_CAPTURES,
                         subject, captures);

    return TORII_OK;
}
