
/*
 * Framing of watch streams and lists.  A list is cut up as it arrives, too: a
 * page of large objects never stands in memory whole.
 */

#include "ingress_split.h"


#define INGRESS_SPLIT_SPARE  (1024 * 1024)

#define ingress_is_blank(c)                                                   \
    ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')


static int ingress_split_outside(ingress_split_t *s, torii_str_t *in);
static int ingress_split_stream(ingress_split_t *s, unsigned char c);
static int ingress_split_shell(ingress_split_t *s, unsigned char c);
static int ingress_split_items(ingress_split_t *s, unsigned char c);
static int ingress_split_structure(ingress_split_t *s, unsigned char c);
static int ingress_split_object(ingress_split_t *s, torii_str_t *in);
static int ingress_split_quoted(ingress_split_t *s, unsigned char c);
static int ingress_split_fail(ingress_split_t *s, const char *error);


static const char  ingress_split_key[] = "items";


void
ingress_split_start(ingress_split_t *s, unsigned list)
{
    ingress_split_free(s);

    s->list = list;
}


void
ingress_split_free(ingress_split_t *s)
{
    torii_buf_free(&s->object);
    torii_buf_free(&s->shell);

    memset(s, 0, sizeof(ingress_split_t));
}


int
ingress_split_inside(const ingress_split_t *s)
{
    return s->depth != 0 || s->outer != 0;
}


int
ingress_split_next(ingress_split_t *s, torii_str_t *in, torii_str_t *object)
{
    int             rc;
    unsigned char  *start;

    if (s->error != NULL) {
        return TORII_ERROR;
    }

    if (s->given) {
        s->given = 0;
        s->object.len = 0;

        if (s->object.size > INGRESS_SPLIT_SPARE) {
            torii_buf_free(&s->object);
        }
    }

    if (s->depth == 0) {
        rc = ingress_split_outside(s, in);

        if (rc != TORII_OK) {
            return rc;
        }
    }

    start = in->data;
    rc = ingress_split_object(s, in);

    if (rc == TORII_ERROR) {
        return rc;
    }

    object->data = start;
    object->len = in->data - start;

    if (object->len > INGRESS_SPLIT_OBJECT - s->object.len) {
        return ingress_split_fail(s, "is larger than 16 MB");
    }

    if (rc == TORII_OK && s->object.len == 0) {
        return TORII_OK;
    }

    torii_buf_add(&s->object, object->data, object->len);

    if (rc == TORII_OK) {
        object->data = s->object.data;
        object->len = s->object.len;
        s->given = 1;
    }

    return rc;
}


/* To the first byte of the next object. */

static int
ingress_split_outside(ingress_split_t *s, torii_str_t *in)
{
    int  rc;

    while (in->len) {
        rc = s->list ? ingress_split_shell(s, *in->data)
                     : ingress_split_stream(s, *in->data);

        if (rc != TORII_AGAIN) {
            return rc;
        }

        in->data++;
        in->len--;
    }

    return TORII_AGAIN;
}


static int
ingress_split_stream(ingress_split_t *s, unsigned char c)
{
    if (c == '{') {
        return TORII_OK;
    }

    return ingress_is_blank(c) ? TORII_AGAIN
                               : ingress_split_fail(s, "is no JSON object");
}


static int
ingress_split_shell(ingress_split_t *s, unsigned char c)
{
    if (s->items) {
        return ingress_split_items(s, c);
    }

    if (s->shell.len == INGRESS_SPLIT_SHELL) {
        return ingress_split_fail(s, "has more than 1 MB beside its items");
    }

    torii_buf_add(&s->shell, &c, 1);

    if (!s->quoted) {
        return ingress_split_structure(s, c);
    }

    if (s->outer == 1 && c != '"') {
        s->key = (s->key < sizeof(ingress_split_key) - 1
                  && c == (unsigned char) ingress_split_key[s->key])
                 ? s->key + 1 : sizeof(ingress_split_key);
    }

    return ingress_split_quoted(s, c) == TORII_OK ? TORII_AGAIN : TORII_ERROR;
}


static int
ingress_split_items(ingress_split_t *s, unsigned char c)
{
    if (c == '{') {
        return TORII_OK;
    }

    if (c == ']') {
        s->items = 0;
        s->outer--;
        torii_buf_add(&s->shell, &c, 1);
        return TORII_AGAIN;
    }

    if (c == ',' || ingress_is_blank(c)) {
        return TORII_AGAIN;
    }

    return ingress_split_fail(s, "has items that are no objects");
}


static int
ingress_split_structure(ingress_split_t *s, unsigned char c)
{
    if (s->outer == 0 && c != '{' && !ingress_is_blank(c)) {
        return ingress_split_fail(s, "is no JSON object");
    }

    switch (c) {

    case '"':
        s->quoted = 1;
        s->key = 0;
        break;

    case '{':
    case '[':
        s->outer++;

        /* the last string of this level is the key */

        s->items = (c == '[' && s->outer == 2
                    && s->key == sizeof(ingress_split_key) - 1);

        if (s->outer > INGRESS_SPLIT_DEPTH) {
            return ingress_split_fail(s, "is nested too deeply");
        }

        break;

    case '}':
    case ']':
        s->outer--;
        break;
    }

    return TORII_AGAIN;
}


/*
 * An event is one line.  If a line ends inside of an object, then something
 * was cut out, and what follows must not be waited for to close the brackets.
 */

static int
ingress_split_object(ingress_split_t *s, torii_str_t *in)
{
    unsigned char  c;

    while (in->len) {
        c = *in->data++;
        in->len--;

        if (s->quoted) {
            if (ingress_split_quoted(s, c) != TORII_OK) {
                return TORII_ERROR;
            }

            continue;
        }

        switch (c) {

        case '"':
            s->quoted = 1;
            break;

        case '{':
        case '[':
            if (++s->depth > INGRESS_SPLIT_DEPTH) {
                return ingress_split_fail(s, "is nested too deeply");
            }

            break;

        case '}':
        case ']':
            if (--s->depth == 0) {
                return TORII_OK;
            }

            break;

        case '\n':
            if (!s->list) {
                return ingress_split_fail(s, "ends in the middle");
            }

            break;
        }
    }

    return TORII_AGAIN;
}


static int
ingress_split_quoted(ingress_split_t *s, unsigned char c)
{
    if (c < 0x20) {
        return ingress_split_fail(s, "has a control byte in a string");
    }

    if (s->escaped) {
        s->escaped = 0;

    } else if (c == '\\') {
        s->escaped = 1;

    } else if (c == '"') {
        s->quoted = 0;
    }

    return TORII_OK;
}


static int
ingress_split_fail(ingress_split_t *s, const char *error)
{
    s->error = error;

    return TORII_ERROR;
}
