
/*
 * The text of challenges, which is read from a Secret: what the store takes of
 * it can be written and read again, and is the same set then.
 */

#include <stdlib.h>

#include "ingress_challenge.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t              n, again;
    torii_str_t           text;
    torii_buf_t           b = { NULL, 0, 0 };
    torii_arena_t        *a;
    ingress_store_t      *store;
    ingress_challenge_t  *list, *copy;

    text.data = (unsigned char *) data;
    text.len = size;

    a = torii_arena_create(4096);

    if (ingress_challenge_decode(a, text, &list, &n) != TORII_OK) {
        torii_arena_destroy(a);
        return 0;
    }

    store = ingress_store_create();
    (void) ingress_store_challenges(store, list, n);

    if (ingress_challenge_encode(&b, list, n) == TORII_OK) {
        text.data = b.data;
        text.len = b.len;

        if (ingress_challenge_decode(a, text, &copy, &again) != TORII_OK
            || again != n || ingress_store_challenges(store, copy, again))
        {
            abort();
        }
    }

    ingress_store_destroy(store);
    torii_arena_destroy(a);
    torii_buf_free(&b);

    return 0;
}
