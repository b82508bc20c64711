
/*
 * Any bytes as replies of Redis: what is read lies within them, as much of it
 * as is said; what waits for more was the beginning of one.
 */

#include <stdlib.h>

#include "torii_resp.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_inside(torii_str_t in, size_t used, const torii_resp_value_t *v)
{
    if (v->text.len
        && (v->text.data < in.data
            || v->text.data + v->text.len > in.data + used))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           rc;
    size_t        used;
    uint32_t      i;
    torii_str_t   in, part;
    torii_resp_t  reply, again;

    in.data = (unsigned char *) data;
    in.len = size;

    for ( ;; ) {
        used = 0;
        rc = torii_resp_read(in, &used, &reply);

        if (rc != TORII_OK) {
            break;
        }

        if (used == 0 || used > in.len || reply.n > TORII_RESP_ITEMS) {
            abort();
        }

        fuzz_inside(in, used, &reply.value);

        for (i = 0; i < reply.n; i++) {
            fuzz_inside(in, used, &reply.items[i]);
        }

        /* without its last byte it is none */

        part.data = in.data;
        part.len = used - 1;

        if (torii_resp_read(part, &used, &again) != TORII_AGAIN) {
            abort();
        }

        used = part.len + 1;
        in.data += used;
        in.len -= used;
    }

    return 0;
}
