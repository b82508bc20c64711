
/*
 * Any bytes as a Cookie header: nothing that was not sealed opens, and what is
 * left after cutting ours out holds none.  The same bytes as the inside of a
 * session: what is read is written the same.
 */

#include <stdlib.h>
#include <openssl/err.h>

#include "oauth2_session.h"


#define FUZZ_NOW  1795000000


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_line(torii_str_t line)
{
    const char          *error;
    torii_buf_t          b = { NULL, 0, 0 };
    torii_str_t          secret, rest;
    oauth2_fail_e        rc;
    oauth2_bind_t        bind;
    oauth2_found_t       found;
    oauth2_states_t      states;

    static oauth2_ring_t            *ring;
    static oauth2_opened_t           o;
    static const oauth2_lifetime_t   life = { 3600, 43200 };

    if (ring == NULL) {
        secret = torii_str("a secret of the fuzzer, 32 bytes and more");
        ring = oauth2_ring_create(&secret, 1, &error);
    }

    bind.use = OAUTH2_USE_SESSION;
    bind.name = torii_str("torii");
    bind.host = torii_str("a.example");
    bind.provider = torii_str("corp");

    rc = oauth2_session_open(ring, &bind, line, FUZZ_NOW, &life, &o);

    if (rc == OAUTH2_OK || rc >= OAUTH2_FAIL_MAX) {
        abort();
    }

    (void) oauth2_cookie_strip(line, &bind.name, 1, &b);

    rest.data = b.data;
    rest.len = b.len;

    oauth2_cookie_find(rest, bind.name, &found);
    oauth2_cookie_states(rest, bind.name, &states);

    if (b.len && (found.n[0] || found.n[1] || found.n[2] || states.n)) {
        abort();
    }

    torii_buf_free(&b);
}


static void
fuzz_plain(torii_str_t in)
{
    torii_buf_t  first = { NULL, 0, 0 }, second = { NULL, 0, 0 };
    torii_str_t  text;

    static oauth2_session_t  s, t;

    if (oauth2_session_read(in, &s) != TORII_OK) {
        return;
    }

    if (s.sub.len == 0 || oauth2_session_write(&s, &first) != TORII_OK) {
        abort();
    }

    text.data = first.data;
    text.len = first.len;

    if (oauth2_session_read(text, &t) != TORII_OK
        || oauth2_session_write(&t, &second) != TORII_OK
        || first.len != second.len
        || memcmp(first.data, second.data, first.len) != 0)
    {
        abort();
    }

    first.len = 0;
    (void) oauth2_session_groups(&s, &first);
    text.data = first.data;
    text.len = first.len;

    if (torii_str_has_control(text)) {
        abort();
    }

    torii_buf_free(&first);
    torii_buf_free(&second);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    torii_str_t  in;

    in.data = (unsigned char *) data;
    in.len = size;

    fuzz_line(in);
    fuzz_plain(in);

    if (ERR_peek_error() != 0) {
        abort();
    }

    return 0;
}
