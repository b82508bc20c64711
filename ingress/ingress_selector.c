
/*
 * Label selectors: a small grammar, read by a cursor that goes forward only.
 */

#include "ingress_decode.h"
#include "ingress_selector.h"


#define INGRESS_SELECTOR_MAX     4096
#define INGRESS_SELECTOR_VALUES  256       /* of all requirements */


typedef enum {
    INGRESS_SELECTOR_IN = 0,
    INGRESS_SELECTOR_NOT_IN,
    INGRESS_SELECTOR_EXISTS,
    INGRESS_SELECTOR_MISSING
} ingress_selector_op_e;

typedef struct ingress_requirement_s  ingress_requirement_t;

struct ingress_requirement_s {
    torii_str_t              key;
    ingress_selector_op_e    op;
    torii_str_t             *values;
    uint32_t                 n;
    ingress_requirement_t   *next;
};

struct ingress_selector_s {
    torii_str_t              text;
    ingress_requirement_t   *first;
    torii_str_t             *values;
    uint32_t                 nvalues;
};

typedef struct {
    ingress_selector_t      *selector;
    torii_str_t              rest;
    const char              *why;
} ingress_selector_parser_t;


static int ingress_selector_requirement(ingress_selector_parser_t *p,
    ingress_requirement_t *r);
static int ingress_selector_operator(ingress_selector_parser_t *p,
    ingress_requirement_t *r);
static int ingress_selector_set(ingress_selector_parser_t *p,
    ingress_requirement_t *r);
static int ingress_selector_value(ingress_selector_parser_t *p,
    ingress_requirement_t *r);
static torii_str_t ingress_selector_word(ingress_selector_parser_t *p);
static int ingress_selector_take(ingress_selector_parser_t *p,
    const char *token);
static void ingress_selector_blanks(ingress_selector_parser_t *p);
static int ingress_selector_is_key(torii_str_t s);
static int ingress_selector_is_value(torii_str_t s);
static int ingress_selector_alnum(unsigned char c);
static int ingress_requirement_holds(const ingress_requirement_t *r,
    const ingress_pairs_t *labels);


ingress_selector_t *
ingress_selector_parse(torii_arena_t *a, torii_str_t text, const char **why)
{
    ingress_selector_t         *s;
    ingress_requirement_t      *r, **last;
    ingress_selector_parser_t   p;

    if (text.len > INGRESS_SELECTOR_MAX) {
        *why = "is too long";
        return NULL;
    }

    s = torii_arena_zalloc(a, sizeof(ingress_selector_t));

    s->text = torii_arena_str(a, text);
    s->values = torii_arena_alloc(a, INGRESS_SELECTOR_VALUES
                                     * sizeof(torii_str_t));
    p.selector = s;
    p.rest = s->text;
    p.why = "is no selector of labels, such as \"a=b,c in (d,e),!f\"";

    last = &s->first;

    do {
        r = torii_arena_zalloc(a, sizeof(ingress_requirement_t));

        if (ingress_selector_requirement(&p, r) != TORII_OK) {
            *why = p.why;
            return NULL;
        }

        *last = r;
        last = &r->next;

    } while (ingress_selector_take(&p, ","));

    if (p.rest.len) {
        *why = p.why;
        return NULL;
    }

    return s;
}


static int
ingress_selector_requirement(ingress_selector_parser_t *p,
    ingress_requirement_t *r)
{
    int  missing;

    missing = ingress_selector_take(p, "!");
    r->key = ingress_selector_word(p);

    if (!ingress_selector_is_key(r->key)) {
        p->why = "has a key that no label can have";
        return TORII_ERROR;
    }

    if (missing) {
        r->op = INGRESS_SELECTOR_MISSING;
        return TORII_OK;
    }

    return ingress_selector_operator(p, r);
}


static int
ingress_selector_operator(ingress_selector_parser_t *p,
    ingress_requirement_t *r)
{
    torii_str_t  word;

    if (ingress_selector_take(p, "!=")) {
        r->op = INGRESS_SELECTOR_NOT_IN;
        return ingress_selector_value(p, r);
    }

    if (ingress_selector_take(p, "==") || ingress_selector_take(p, "=")) {
        r->op = INGRESS_SELECTOR_IN;
        return ingress_selector_value(p, r);
    }

    word = ingress_selector_word(p);

    if (word.len == 0) {
        r->op = INGRESS_SELECTOR_EXISTS;
        return TORII_OK;
    }

    if (torii_str_eqs(word, "in")) {
        r->op = INGRESS_SELECTOR_IN;
        return ingress_selector_set(p, r);
    }

    if (torii_str_eqs(word, "notin")) {
        r->op = INGRESS_SELECTOR_NOT_IN;
        return ingress_selector_set(p, r);
    }

    return TORII_ERROR;
}


static int
ingress_selector_set(ingress_selector_parser_t *p, ingress_requirement_t *r)
{
    if (!ingress_selector_take(p, "(")) {
        return TORII_ERROR;
    }

    do {
        if (ingress_selector_value(p, r) != TORII_OK) {
            return TORII_ERROR;
        }

    } while (ingress_selector_take(p, ","));

    return ingress_selector_take(p, ")") ? TORII_OK : TORII_ERROR;
}


/* "" is a value, too. */

static int
ingress_selector_value(ingress_selector_parser_t *p, ingress_requirement_t *r)
{
    torii_str_t          word;
    ingress_selector_t  *s;

    s = p->selector;
    word = ingress_selector_word(p);

    if (!ingress_selector_is_value(word)) {
        p->why = "has a value that no label can have";
        return TORII_ERROR;
    }

    if (s->nvalues == INGRESS_SELECTOR_VALUES) {
        p->why = "has too many values";
        return TORII_ERROR;
    }

    if (r->n == 0) {
        r->values = &s->values[s->nvalues];
    }

    s->values[s->nvalues++] = word;
    r->n++;

    return TORII_OK;
}


/* Up to a blank or an operator. */

static torii_str_t
ingress_selector_word(ingress_selector_parser_t *p)
{
    torii_str_t  word;

    ingress_selector_blanks(p);

    word.data = p->rest.data;
    word.len = 0;

    while (p->rest.len
           && memchr(" \t,()=!<>", p->rest.data[0], 9) == NULL)
    {
        p->rest.data++;
        p->rest.len--;
        word.len++;
    }

    return word;
}


static int
ingress_selector_take(ingress_selector_parser_t *p, const char *token)
{
    size_t  len;

    ingress_selector_blanks(p);

    if (!torii_str_starts(p->rest, token)) {
        return 0;
    }

    len = strlen(token);

    p->rest.data += len;
    p->rest.len -= len;

    ingress_selector_blanks(p);

    return 1;
}


static void
ingress_selector_blanks(ingress_selector_parser_t *p)
{
    while (p->rest.len && (p->rest.data[0] == ' ' || p->rest.data[0] == '\t'))
    {
        p->rest.data++;
        p->rest.len--;
    }
}


/* Labels and selectors: "PREFIX/NAME"; the prefix is a name of DNS. */

static int
ingress_selector_is_key(torii_str_t s)
{
    char            prefix[INGRESS_NAME_MAX + 1];
    size_t          len;
    unsigned char  *slash;

    if (s.len == 0) {
        return 0;
    }

    slash = memchr(s.data, '/', s.len);

    if (slash != NULL) {
        len = slash - s.data;

        if (len > INGRESS_NAME_MAX) {
            return 0;
        }

        memcpy(prefix, s.data, len);
        prefix[len] = '\0';

        if (ingress_name_check(torii_str(prefix), INGRESS_NAME_MAX) != NULL) {
            return 0;
        }

        s.data += len + 1;
        s.len -= len + 1;
    }

    return s.len && ingress_selector_is_value(s);
}


static int
ingress_selector_is_value(torii_str_t s)
{
    size_t  i;

    if (s.len > INGRESS_LABEL_MAX) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {

        if (ingress_selector_alnum(s.data[i])) {
            continue;
        }

        if (i == 0 || i == s.len - 1 || s.data[i] == '\0'
            || strchr("-_.", s.data[i]) == NULL)
        {
            return 0;
        }
    }

    return 1;
}


static int
ingress_selector_alnum(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}


int
ingress_selector_matches(const ingress_selector_t *s,
    const ingress_pairs_t *labels)
{
    const ingress_requirement_t  *r;

    for (r = s->first; r != NULL; r = r->next) {
        if (!ingress_requirement_holds(r, labels)) {
            return 0;
        }
    }

    return 1;
}


static int
ingress_requirement_holds(const ingress_requirement_t *r,
    const ingress_pairs_t *labels)
{
    uint32_t  i, k;

    for (i = 0; i < labels->n; i++) {
        if (torii_str_eq(labels->elts[i].name, r->key)) {
            break;
        }
    }

    if (i == labels->n) {
        return r->op == INGRESS_SELECTOR_MISSING
               || r->op == INGRESS_SELECTOR_NOT_IN;
    }

    if (r->op == INGRESS_SELECTOR_EXISTS || r->op == INGRESS_SELECTOR_MISSING)
    {
        return r->op == INGRESS_SELECTOR_EXISTS;
    }

    for (k = 0; k < r->n; k++) {
        if (torii_str_eq(labels->elts[i].value, r->values[k])) {
            return r->op == INGRESS_SELECTOR_IN;
        }
    }

    return r->op == INGRESS_SELECTOR_NOT_IN;
}


torii_str_t
ingress_selector_text(const ingress_selector_t *s)
{
    return s->text;
}
