
/*
 * Any names and values as options of a provider: "NAME VALUE", apart by NULs.
 * What is taken has secrets and a cookie that can be one; what is refused is
 * told of, and no text has a secret in it.
 */

#include <stdlib.h>
#include <openssl/err.h>

#include "oauth2_settings.h"


#define FUZZ_OPTIONS  64
#define FUZZ_SECRET   "fuzz-cookie-secret-0123456789abcdef"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_told(void *data, torii_str_t name, const char *text)
{
    if (text == NULL || text[0] == '\0' || strstr(text, FUZZ_SECRET)) {
        abort();
    }

    ++*(unsigned *) data;
}


static void
fuzz_taken(const oauth2_settings_t *s)
{
    oauth2_cookie_t  cookie;

    cookie = s->cookie;

    if (s->nsecrets == 0 || s->nsecrets > OAUTH2_KEYS_MAX
        || s->provider.nsecrets > OAUTH2_SECRETS_MAX
        || s->provider.client_id.len == 0 || s->life.absolute <= 0
        || s->prefix.len < 2 || s->provider.type == NULL
        || oauth2_cookie_check(&cookie) != NULL)
    {
        abort();
    }

    cookie.domain = oauth2_settings_domain(s, torii_str("a.corp.example"));

    if (cookie.domain.len > sizeof("a.corp.example") - 1) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc;
    unsigned           told;
    uint32_t           n;
    torii_str_t        rest, piece, value;
    torii_arena_t     *a;
    unsigned char     *p;
    oauth2_setting_t   in[FUZZ_OPTIONS + 2];
    oauth2_settings_t  s;

    a = torii_arena_create(4096);
    told = 0;
    n = 0;

    rest.data = (unsigned char *) data;
    rest.len = size;

    while (rest.len && n < FUZZ_OPTIONS) {
        p = memchr(rest.data, '\0', rest.len);

        piece.data = rest.data;
        piece.len = p ? (size_t) (p - rest.data) : rest.len;
        rest.data += piece.len + (p != NULL);
        rest.len -= piece.len + (p != NULL);

        value = piece;
        (void) torii_str_next(&value, " ", &in[n].name);
        in[n++].value = value;
    }

    in[n].name = torii_str("cookie-secret");
    in[n++].value = torii_str(FUZZ_SECRET);
    in[n].name = torii_str("client-id");
    in[n++].value = torii_str("app");

    rc = oauth2_settings_read(a, torii_str("ns/corp"), in, n, &s, fuzz_told,
                              &told);

    if ((rc == TORII_OK) != (told == 0)) {
        abort();
    }

    if (rc == TORII_OK) {
        fuzz_taken(&s);
    }

    torii_arena_destroy(a);

    if (ERR_peek_error() != 0) {
        abort();
    }

    return 0;
}
