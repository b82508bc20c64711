
/*
 * Where a mark is: the names of TXT records, from a host and back.
 */

#define _GNU_SOURCE

#include "dnssync_owner.h"


#define DNSSYNC_OWNER_LABEL     63
#define DNSSYNC_OWNER_HOST      "_dnssync."
#define DNSSYNC_OWNER_WILDCARD  "_dnssync-w."
#define DNSSYNC_OWNER_TYPE      "%{record_type}"


/* a name that grows, up to its limit */

typedef struct {
    unsigned char  *data;
    size_t          len;
    size_t          label;      /* where the last label begins */
    unsigned        failed:1;
} dnssync_owner_text_t;


static void dnssync_owner_put(dnssync_owner_text_t *t, torii_str_t s);
static void dnssync_owner_affix(dnssync_owner_text_t *t, torii_str_t affix,
    const char *type);
static int dnssync_owner_templated(const dnssync_registry_t *registry);
static const char *dnssync_owner_word(unsigned type);
static int dnssync_owner_strip(const dnssync_registry_t *registry,
    const char *word, torii_str_t name, torii_str_t *first,
    torii_str_t *rest);
static void dnssync_owner_typed(torii_str_t *first, unsigned *type);
static int dnssync_owner_join(const dnssync_registry_t *registry,
    torii_str_t first, torii_str_t rest, torii_str_t *host,
    unsigned char buf[DNSSYNC_HOST_MAX]);


/* All that ExternalDNS puts before a name, in the order it tries them. */

static const struct {
    const char  *word;
    unsigned     type;
} dnssync_owner_words[] = {
    { "a", DNSSYNC_A },
    { "aaaa", DNSSYNC_AAAA },
    { "cname", DNSSYNC_CNAME },
    { "dname", 39 },
    { "ns", DNSSYNC_NS },
    { "mx", 15 },
    { "srv", 33 },
    { "ptr", 12 },
    { "naptr", 35 },
    { "txt", DNSSYNC_TXT }
};

#define DNSSYNC_OWNER_WORDS                                                   \
    (sizeof(dnssync_owner_words) / sizeof(dnssync_owner_words[0]))


size_t
dnssync_owner_name(const dnssync_registry_t *registry, dnssync_form_e form,
    torii_str_t host, unsigned type, unsigned char name[DNSSYNC_HOST_MAX])
{
    const char            *word;
    torii_str_t            first, rest;
    dnssync_owner_text_t   t;

    memset(&t, 0, sizeof(dnssync_owner_text_t));
    t.data = name;

    if (form == DNSSYNC_FORM_OWN) {
        if (torii_str_starts(host, "*.")) {
            host.data += 2;
            host.len -= 2;
            dnssync_owner_put(&t, torii_str(DNSSYNC_OWNER_WILDCARD));

        } else {
            dnssync_owner_put(&t, torii_str(DNSSYNC_OWNER_HOST));
        }

        dnssync_owner_put(&t, host);

        return (t.failed || host.len == 0) ? 0 : t.len;
    }

    rest = host;
    (void) torii_str_next(&rest, ".", &first);

    word = (form == DNSSYNC_FORM_EXTERNAL) ? dnssync_owner_word(type) : "";

    if (torii_str_eqs(first, "*") && registry->wildcard.len) {
        first = registry->wildcard;
    }

    dnssync_owner_affix(&t, registry->prefix, word);

    if (*word && !dnssync_owner_templated(registry)) {
        dnssync_owner_put(&t, torii_str(word));
        dnssync_owner_put(&t, torii_str("-"));
    }

    dnssync_owner_put(&t, first);
    dnssync_owner_affix(&t, registry->suffix, word);

    if (rest.data != NULL) {
        dnssync_owner_put(&t, torii_str("."));
        dnssync_owner_put(&t, rest);
    }

    return t.failed ? 0 : t.len;
}


/* In lower case, no label longer than DNS has them. */

static void
dnssync_owner_put(dnssync_owner_text_t *t, torii_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (t->len == DNSSYNC_HOST_MAX || c == '\\'
            || (c == '.' && t->len == t->label)
            || (c != '.' && t->len - t->label == DNSSYNC_OWNER_LABEL))
        {
            t->failed = 1;
            return;
        }

        t->data[t->len++] = (c >= 'A' && c <= 'Z') ? c | 0x20 : c;

        if (c == '.') {
            t->label = t->len;
        }
    }
}


static void
dnssync_owner_affix(dnssync_owner_text_t *t, torii_str_t affix,
    const char *type)
{
    size_t       i, len;
    torii_str_t  s;

    len = sizeof(DNSSYNC_OWNER_TYPE) - 1;

    for (i = 0; i < affix.len; i++) {
        s.data = affix.data + i;
        s.len = affix.len - i;

        if (torii_str_starts(s, DNSSYNC_OWNER_TYPE)) {
            dnssync_owner_put(t, torii_str(type));
            i += len - 1;
            continue;
        }

        s.len = 1;
        dnssync_owner_put(t, s);
    }
}


static int
dnssync_owner_templated(const dnssync_registry_t *registry)
{
    torii_str_t  s;

    s = registry->prefix.len ? registry->prefix : registry->suffix;

    return s.len && memmem(s.data, s.len, DNSSYNC_OWNER_TYPE,
                           sizeof(DNSSYNC_OWNER_TYPE) - 1)
                    != NULL;
}


static const char *
dnssync_owner_word(unsigned type)
{
    size_t  i;

    for (i = 0; i < DNSSYNC_OWNER_WORDS; i++) {
        if (dnssync_owner_words[i].type == type) {
            return dnssync_owner_words[i].word;
        }
    }

    return "";
}


int
dnssync_owner_host(const dnssync_registry_t *registry, torii_str_t name,
    dnssync_form_e *form, unsigned *type, torii_str_t *host,
    unsigned char buf[DNSSYNC_HOST_MAX])
{
    size_t       i;
    torii_str_t  first, rest;

    *type = 0;
    *form = DNSSYNC_FORM_OWN;

    if (torii_str_starts(name, DNSSYNC_OWNER_HOST)) {
        host->data = name.data + sizeof(DNSSYNC_OWNER_HOST) - 1;
        host->len = name.len - (sizeof(DNSSYNC_OWNER_HOST) - 1);
        return host->len ? TORII_OK : TORII_DECLINED;
    }

    if (torii_str_starts(name, DNSSYNC_OWNER_WILDCARD)) {
        rest.data = name.data + sizeof(DNSSYNC_OWNER_WILDCARD) - 1;
        rest.len = name.len - (sizeof(DNSSYNC_OWNER_WILDCARD) - 1);

        return rest.len ? dnssync_owner_join(registry, torii_str("*"), rest,
                                             host, buf)
                        : TORII_DECLINED;
    }

    *form = DNSSYNC_FORM_EXTERNAL;

    for (i = 0; dnssync_owner_templated(registry) && i < DNSSYNC_OWNER_WORDS;
         i++)
    {
        if (dnssync_owner_strip(registry, dnssync_owner_words[i].word, name,
                                &first, &rest)
            == TORII_OK)
        {
            *type = dnssync_owner_words[i].type;
            return dnssync_owner_join(registry, first, rest, host, buf);
        }
    }

    if (dnssync_owner_strip(registry, "", name, &first, &rest) != TORII_OK) {
        return TORII_DECLINED;
    }

    dnssync_owner_typed(&first, type);

    if (*type == 0) {
        *form = DNSSYNC_FORM_EXTERNAL_OLD;
    }

    return dnssync_owner_join(registry, first, rest, host, buf);
}


/*
 * What is between prefix and suffix: the first label, and all after it.  A
 * suffix with dots in it reaches over as many labels.
 */

static int
dnssync_owner_strip(const dnssync_registry_t *registry, const char *word,
    torii_str_t name, torii_str_t *first, torii_str_t *rest)
{
    size_t                i, dots;
    unsigned char         bytes[DNSSYNC_HOST_MAX];
    dnssync_owner_text_t  t;

    memset(&t, 0, sizeof(dnssync_owner_text_t));
    t.data = bytes;

    if (registry->suffix.len == 0) {
        dnssync_owner_affix(&t, registry->prefix, word);

        if (t.failed || name.len <= t.len
            || memcmp(name.data, t.data, t.len) != 0)
        {
            return TORII_DECLINED;
        }

        rest->data = name.data + t.len;
        rest->len = name.len - t.len;

        return torii_str_next(rest, ".", first) && first->len
               ? TORII_OK : TORII_DECLINED;
    }

    dnssync_owner_put(&t, torii_str("x"));       /* it is no label's start */
    dnssync_owner_affix(&t, registry->suffix, word);

    for (i = 0, dots = 0; i < t.len; i++) {
        dots += (t.data[i] == '.');
    }

    for (i = 0; i < name.len; i++) {
        if (name.data[i] == '.' && dots-- == 0) {
            break;
        }
    }

    if (t.failed || i <= t.len - 1
        || memcmp(name.data + i - (t.len - 1), t.data + 1, t.len - 1) != 0)
    {
        return TORII_DECLINED;
    }

    first->data = name.data;
    first->len = i - (t.len - 1);

    rest->data = (i < name.len) ? name.data + i + 1 : NULL;
    rest->len = (i < name.len) ? name.len - i - 1 : 0;

    return memchr(first->data, '.', first->len) == NULL ? TORII_OK
                                                        : TORII_DECLINED;
}


/* "aaaa-www" is "www" of type AAAA */

static void
dnssync_owner_typed(torii_str_t *first, unsigned *type)
{
    size_t       i;
    torii_str_t  rest, word;

    rest = *first;
    (void) torii_str_next(&rest, "-", &word);

    if (rest.data == NULL || rest.len == 0) {
        return;
    }

    for (i = 0; i < DNSSYNC_OWNER_WORDS; i++) {
        if (torii_str_eqs(word, dnssync_owner_words[i].word)) {
            *type = dnssync_owner_words[i].type;
            *first = rest;
            return;
        }
    }
}


static int
dnssync_owner_join(const dnssync_registry_t *registry, torii_str_t first,
    torii_str_t rest, torii_str_t *host, unsigned char buf[DNSSYNC_HOST_MAX])
{
    dnssync_owner_text_t  t;

    memset(&t, 0, sizeof(dnssync_owner_text_t));
    t.data = buf;

    dnssync_owner_put(&t, first);

    if (rest.data != NULL) {
        dnssync_owner_put(&t, torii_str("."));
        dnssync_owner_put(&t, rest);
    }

    host->data = buf;
    host->len = t.len;

    return t.failed ? TORII_DECLINED : TORII_OK;
}
