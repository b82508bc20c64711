
/*
 * auth-snippet: of NGINX's configuration only what sets a header of the login
 * request, or how long it may take.  Nothing else is understood, and what is
 * not understood denies.
 */

#include "ingress_login_list.h"


#define INGRESS_SNIPPET_HEADERS  32
#define INGRESS_SNIPPET_WORDS    3
#define INGRESS_SNIPPET_TIME     (10 * 60 * 1000)


typedef enum {
    INGRESS_SNIPPET_WORD = 0,
    INGRESS_SNIPPET_SEMICOLON,
    INGRESS_SNIPPET_END,
    INGRESS_SNIPPET_BAD
} ingress_snippet_e;

typedef struct {
    uint32_t                 n;
    ingress_login_header_t   headers[INGRESS_SNIPPET_HEADERS];
    uint64_t                 timeout;
} ingress_snippet_t;


static ingress_snippet_e ingress_snippet_next(torii_str_t *rest,
    torii_str_t *word);
static ingress_snippet_e ingress_snippet_quoted(torii_str_t *rest,
    torii_str_t *word);
static int ingress_snippet_directive(ingress_setter_t *s,
    ingress_snippet_t *snippet, const torii_str_t *words, unsigned n);
static int ingress_snippet_header(ingress_setter_t *s,
    ingress_snippet_t *snippet, torii_str_t name, torii_str_t value);


int
ingress_set_login_snippet(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    unsigned            n;
    torii_str_t         rest, word, words[INGRESS_SNIPPET_WORDS];
    ingress_snippet_e   token;
    ingress_snippet_t   snippet;

    memset(&snippet, 0, sizeof(ingress_snippet_t));

    n = 0;
    rest = value;

    for ( ;; ) {
        token = ingress_snippet_next(&rest, &word);

        if (token == INGRESS_SNIPPET_END && n == 0) {
            break;
        }

        if (token == INGRESS_SNIPPET_SEMICOLON) {
            if (ingress_snippet_directive(s, &snippet, words, n) != TORII_OK) {
                return TORII_ERROR;
            }

            n = 0;
            continue;
        }

        if (token != INGRESS_SNIPPET_WORD || n == INGRESS_SNIPPET_WORDS) {
            return ingress_setter_why(s, "has more in it than \"NAME VALUE;\" "
                                      "and \"proxy_set_header NAME VALUE;\"");
        }

        words[n++] = word;
    }

    s->login->record.set_headers =
        ingress_pool_add(s->pool, snippet.headers,
                         snippet.n * sizeof(ingress_login_header_t));
    s->login->record.timeout = (uint32_t) snippet.timeout;

    return TORII_OK;
}


static ingress_snippet_e
ingress_snippet_next(torii_str_t *rest, torii_str_t *word)
{
    unsigned char  c;

    *rest = torii_str_trim(*rest);

    word->data = rest->data;
    word->len = 0;

    if (rest->len == 0) {
        return INGRESS_SNIPPET_END;
    }

    c = rest->data[0];

    if (c == ';') {
        rest->data++;
        rest->len--;
        return INGRESS_SNIPPET_SEMICOLON;
    }

    if (c == '"' || c == '\'') {
        return ingress_snippet_quoted(rest, word);
    }

    while (rest->len && rest->data[0] > ' ' && rest->data[0] != ';') {

        c = rest->data[0];

        /* blocks, comments and escapes are not understood */

        if (c == '\\' || c == '"' || c == '\'' || c == '#'
            || ((c == '{' || c == '}')
                && (word->len == 0 || memchr(word->data, '$', word->len)
                                      == NULL)))
        {
            return INGRESS_SNIPPET_BAD;
        }

        word->len++;
        rest->data++;
        rest->len--;
    }

    return INGRESS_SNIPPET_WORD;
}


static ingress_snippet_e
ingress_snippet_quoted(torii_str_t *rest, torii_str_t *word)
{
    unsigned char  *end;

    end = memchr(rest->data + 1, rest->data[0], rest->len - 1);
    if (end == NULL) {
        return INGRESS_SNIPPET_BAD;
    }

    word->data = rest->data + 1;
    word->len = end - word->data;

    rest->len -= end + 1 - rest->data;
    rest->data = end + 1;

    /* what follows at once would be of the same word */

    if ((rest->len && rest->data[0] > ' ' && rest->data[0] != ';')
        || (word->len && memchr(word->data, '\\', word->len))
        || torii_str_has_control(*word))
    {
        return INGRESS_SNIPPET_BAD;
    }

    return INGRESS_SNIPPET_WORD;
}


static int
ingress_snippet_directive(ingress_setter_t *s, ingress_snippet_t *snippet,
    const torii_str_t *words, unsigned n)
{
    uint64_t  ms;

    if (n == 0) {
        return TORII_OK;
    }

    if (torii_str_eqs(words[0], "proxy_set_header") && n == 3) {
        return ingress_snippet_header(s, snippet, words[1], words[2]);
    }

    if (n == 2
        && (torii_str_eqs(words[0], "proxy_connect_timeout")
            || torii_str_eqs(words[0], "proxy_read_timeout")
            || torii_str_eqs(words[0], "proxy_send_timeout")))
    {
        if (ingress_login_time(words[1], &ms) != TORII_OK
            || ms == 0 || ms > INGRESS_SNIPPET_TIME)
        {
            return ingress_setter_why(s, "has a timeout that is none from 1ms "
                                      "to 10m");
        }

        if (snippet->timeout < ms) {
            snippet->timeout = ms;
        }

        return TORII_OK;
    }

    return ingress_setter_why(s, "has \"%.*s\" in it; only proxy_set_header, "
                              "proxy_connect_timeout, proxy_read_timeout and "
                              "proxy_send_timeout are understood",
                              torii_str_arg(words[0]));
}


static int
ingress_snippet_header(ingress_setter_t *s, ingress_snippet_t *snippet,
    torii_str_t name, torii_str_t value)
{
    ingress_login_header_t  *header;

    if (!ingress_login_header_name(name)) {
        return ingress_setter_why(s, "sets \"%.*s\", which is no name of a "
                                  "header that may be set",
                                  torii_str_arg(name));
    }

    if (snippet->n == INGRESS_SNIPPET_HEADERS) {
        return ingress_setter_why(s, "sets more than %u headers",
                                  INGRESS_SNIPPET_HEADERS);
    }

    header = &snippet->headers[snippet->n++];

    header->name = ingress_setter_str(s, name);

    return ingress_login_template(s, value, &header->value);
}
